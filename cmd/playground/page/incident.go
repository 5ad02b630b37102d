package page

import (
	"fmt"
	"time"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

// incident is the newest one as it is shown. Users are PagerDuty's.
type incident struct {
	Number       int       `json:"number"` // 0: there was none
	Title        string    `json:"title"`
	Status       string    `json:"status"`
	Assigned     []string  `json:"assigned"`
	Acknowledged []string  `json:"acknowledged"`
	By           string    `json:"by"` // who changed it last; empty: its service
	At           time.Time `json:"at"` // of its last change
}

// newest returns the incident that was triggered last.
func (p *Page) newest() (pagerdutyemu.Incident, bool) {
	all := p.cfg.PagerDuty.Incidents()
	if len(all) == 0 {
		return pagerdutyemu.Incident{}, false
	}
	return all[len(all)-1], true
}

// incident is what the page shows of it.
func (p *Page) incident() incident {
	i, ok := p.newest()
	if !ok {
		return incident{}
	}
	shown := incident{
		Number: i.Number, Title: i.Title, Status: i.Status, Assigned: i.Assigned, Acknowledged: []string{}, By: i.By, At: i.ChangedAt,
	}
	for _, a := range i.Acks {
		shown.Acknowledged = append(shown.Acknowledged, a.User)
	}
	return shown
}

// changeIncident lets the alert ring, or a person do something about it.
func (p *Page) changeIncident(user, change string) error {
	if change == "trigger" {
		_, err := p.cfg.PagerDuty.Trigger(p.cfg.Alert)
		return err
	}
	do, ok := map[string]func(incident, user string) error{
		"acknowledge": p.cfg.PagerDuty.Acknowledge, "resolve": p.cfg.PagerDuty.Resolve,
	}[change]
	if !ok {
		return fmt.Errorf("nothing of an incident is called %q", change)
	}
	person, ok := member(p.cfg.Cast, user)
	if !ok {
		return fmt.Errorf("there is nobody called %q", user)
	}
	if person.PagerDuty == "" {
		return fmt.Errorf("%s has no seat in PagerDuty; be somebody who has", person.first())
	}
	i, ok := p.newest()
	if !ok {
		return fmt.Errorf("there is no incident to %s; trigger one", change)
	}
	return do(i.ID, person.PagerDuty)
}
