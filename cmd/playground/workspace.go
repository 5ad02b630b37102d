package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"time"

	"nightlatch/cmd/playground/page"
	"nightlatch/integrations/emulators/pagerdutyemu"
)

// shift is how long Mara's shift lasts when the page is opened, at fourteen past two: until six.
const shift = 3*time.Hour + 46*time.Minute

// servePage opens a stage and shows it on a web page until it is interrupted.
func servePage(ctx context.Context, o options, addr string, open bool, stdout io.Writer) (err error) {
	listener, err := listenAt(address{
		text: addr, flag: "-addr", usual: "127.0.0.1:8080", other: "127.0.0.1:8081",
		why: "on the page anybody is everybody, so it stays on this machine",
	}) // first: nobody should wait for a build to hear that the port is taken
	if err != nil {
		return err
	}
	defer listener.Close()
	if o.binary == "" {
		fmt.Fprintln(o.stderr, "Building nightlatch, which takes a while the first time, and starting it between the emulators.")
	}
	s, err := openStage(ctx, o)
	if err != nil {
		return unless(ctx, err)
	}
	defer func() { err = errors.Join(err, s.close()) }()
	s.settings.Together, s.settings.Level, s.settings.Roles = "10s", "info", pageRoles
	opened := time.Now().Truncate(time.Second) // as PagerDuty does
	if err := s.populate(ctx, opened.Add(shift)); err != nil {
		return unless(ctx, fmt.Errorf("filling the emulators: %w", err))
	}
	if err := s.start(ctx); err != nil {
		return unless(ctx, err)
	}
	s.account.PutService(pagerdutyemu.Service{ID: alert().Service, Name: "Orders", Policy: "PORDERS"})
	if err := s.alarm(); err != nil {
		return err
	}
	shown, err := s.page(opened)
	if err != nil {
		return err
	}
	s.run(shown.Run)
	s.serve(listener, shown)
	url := "http://" + listener.Addr().String() + "/"
	fmt.Fprintf(stdout, "The playground is at %s\nEnd it with Ctrl-C.\n\n%s", url, s.own())
	if open {
		s.browse(url)
	}
	select {
	case <-ctx.Done():
		return nil
	case <-s.program.done:
		return s.program.died()
	}
}

// unless drops an error that only says that we were interrupted.
func unless(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

// alert is what rings at the beginning of the night, and whenever somebody lets it.
func alert() pagerdutyemu.Trigger {
	return pagerdutyemu.Trigger{Service: "PSHOP", Title: "Order 4711 is stuck", Key: "order-4711"}
}

// alarm lets it ring anew for whoever is on call now.
func (s *stage) alarm() error {
	for _, i := range s.account.Incidents() {
		if i.Status == pagerdutyemu.Resolved {
			continue
		}
		if err := s.account.Resolve(i.ID, ""); err != nil {
			return err
		}
	}
	_, err := s.account.Trigger(alert())
	return err
}

// page makes the page of this stage.
func (s *stage) page(opened time.Time) (*page.Page, error) {
	services, calls, err := s.openServices()
	if err != nil {
		return nil, err
	}
	release := "/access orders-write 1h order 4711 is stuck"
	read := "/access orders-read 1h checkout is failing"
	return page.New(page.Config{
		Slack: s.workspace, PagerDuty: s.account,
		Cast: []page.Person{
			{ID: string(mara), PagerDuty: mara.pagerduty(), Name: mara.name(), Title: "Engineer"},
			{ID: string(jonas), PagerDuty: jonas.pagerduty(), Name: jonas.name(), Title: "Lead"},
			{ID: string(priya), PagerDuty: priya.pagerduty(), Name: priya.name(), Title: "Engineer"},
			{ID: string(otto), Name: otto.name(), Title: "Security"},
		},
		Channels: []page.Channel{{ID: channel, Name: channelName, Topic: "Who may touch orders tonight, and why"}},
		Lines:    []page.Line{{Schedule: firstLine, Name: "First line"}, {Schedule: secondLine, Name: "Second line"}},
		Changes:  s.changes(),
		Opened:   opened, Clock: paged().Add(-58 * time.Minute),
		Services: services, Alert: alert(),
		Suggestions: map[string][]string{
			string(mara): {release, read, "/access archive-read 30m old order 4702"}, string(jonas): {read}, string(priya): {release, read}, string(otto): {read},
		},
		Logs: []page.Log{{Name: "nightlatch", From: s.program.log.from}, {Name: "services", From: calls.from}},
	})
}

// changes are what can be done to the shifts of the first line.
func (s *stage) changes() map[string]func() error {
	now := func() (pagerdutyemu.OnCall, error) {
		for _, o := range s.account.OnCall(time.Now()) {
			if o.Schedule == firstLine {
				return o, nil
			}
		}
		return pagerdutyemu.OnCall{}, errors.New("nobody is on call on the first line now; begin the night again")
	}
	return map[string]func() error{
		"end": func() error {
			o, err := now()
			if err != nil {
				return err
			}
			// Ahead, so that the program hears of it before: who has lost a shift all at once is asked about twice.
			return s.account.MoveEnd(firstLine, o.User, time.Now().Add(5*time.Second))
		},
		"swap": func() error {
			s.account.Swap(firstLine, mara.pagerduty(), priya.pagerduty())
			return nil
		},
		"override": func() error {
			other := priya
			if o, err := now(); err == nil && o.User == priya.pagerduty() {
				other = mara
			}
			from := time.Now()
			s.account.Override(firstLine, pagerdutyemu.Shift{User: other.pagerduty(), Start: from, End: from.Add(time.Hour)})
			return nil
		},
		page.Again: func() error {
			if err := s.alarm(); err != nil {
				return err
			}
			return s.handOver(context.Background(), time.Now().Truncate(time.Second).Add(shift))
		},
	}
}

// browse opens the page in the browser of whoever sits here. Without one, the address on the terminal is enough.
func (s *stage) browse(url string) {
	command := map[string][]string{
		"darwin": {"open"}, "windows": {"rundll32", "url.dll,FileProtocolHandler"},
	}[runtime.GOOS]
	if command == nil {
		command = []string{"xdg-open"}
	}
	opener := exec.Command(command[0], append(command[1:], url)...)
	err := opener.Start()
	if err == nil {
		err = opener.Process.Release() // it lives as long as it likes
	}
	if err != nil {
		fmt.Fprintf(s.stderr, "playground: no browser could be opened: %v\n", err)
	}
}
