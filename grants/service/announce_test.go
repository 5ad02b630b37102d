package service_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
)

// said are the news that the security channel was told.
func (b *board) said() []service.Announcement {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]service.Announcement(nil), b.news...)
}

// changes edits one seat.
func (p *pager) changes(id string, edit func(*grants.PagerUser)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.users {
		if p.users[i].ID == id {
			edit(&p.users[i])
		}
	}
}

func TestNewsAreToldUntilTheyAreHeard(t *testing.T) {
	story(t, func(w *world) {
		w.security = "CSEC"
		w.opens()
		w.passes(time.Minute)
		if said := w.board.said(); len(said) != 0 {
			t.Fatalf("the first reading is news: %+v", said)
		}
		w.board.breaks(faults{Calls: -1, Err: errUnreachable})
		w.hears(dora, func(u *grants.SlackUser) { u.Guest = true })
		w.passes(time.Second)
		w.pager.changes(seat(anna), func(u *grants.PagerUser) { u.ID = "POTHER" })
		w.slack.changes(ben, func(u *grants.SlackUser) { u.Email = "benjamin@example.com" })
		w.pager.changes(seat(ben), func(u *grants.PagerUser) { u.Email = "benjamin@example.com" })
		w.svc.DirectoryChanged()
		w.passes(time.Minute)
		w.restarts()
		w.board.breaks(faults{})
		w.passes(2 * time.Minute)
		var got []string
		for _, a := range w.board.said() {
			got = append(got, fmt.Sprintf("%s %s %s: %s", a.Channel, a.Person.Slack(), a.News, a.Detail))
		}
		want := []string{
			"CSEC UDORA gone: guest",
			"CSEC UANNA frozen: the PagerDuty user of uanna@example.com changed from PANNA to POTHER",
			"CSEC UBEN e-mail changed: from uben@example.com to benjamin@example.com",
		}
		if strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("told:\n%s", strings.Join(got, "\n"))
		}
		w.restarts()
		w.passes(2 * time.Minute)
		if n := len(w.board.said()); n != len(want) {
			t.Errorf("told again: %d", n)
		}
	})
}

func TestManyNewsAreCounted(t *testing.T) {
	story(t, func(w *world) {
		w.security = "CSEC"
		for i := range 30 {
			w.slack.users = append(w.slack.users, grants.SlackUser{Team: team, ID: fmt.Sprintf("UX%02d", i), Email: fmt.Sprintf("x%d@example.com", i)})
		}
		w.opens()
		w.passes(time.Minute)
		w.slack.mu.Lock()
		w.slack.users = w.slack.users[:7]
		w.slack.mu.Unlock()
		w.svc.DirectoryChanged()
		w.passes(time.Minute)
		said := w.board.said()
		if len(said) != 21 || said[20].More != 10 {
			t.Errorf("%d announcements, the last is %+v", len(said), said[len(said)-1])
		}
	})
}

func TestNewsWithoutAChannelStandInTheLog(t *testing.T) {
	story(t, func(w *world) {
		w.opens()
		w.hears(dora, func(u *grants.SlackUser) { u.Guest = true })
		w.passes(time.Second)
		if !strings.Contains(w.logs.String(), "no security channel") || len(w.board.said()) != 0 {
			t.Errorf("told %+v, logged:\n%s", w.board.said(), w.logs)
		}
	})
}
