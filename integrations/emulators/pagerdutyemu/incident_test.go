package pagerdutyemu_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

// send makes a request with a body, as Ana unless another From is given.
func send(t *testing.T, emu http.Handler, verb, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), verb, target, strings.NewReader(body))
	r.Header.Set("Authorization", "Token token=u+emulated")
	r.Header.Set("Accept", "application/vnd.pagerduty+json;version=2")
	r.Header.Set("From", "ana@example.com")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	emu.ServeHTTP(w, r)
	return w
}

// shut is an account with one open incident, QINC0001.
func shut(t *testing.T) *pagerdutyemu.Emulator {
	t.Helper()
	emu := night(pagerdutyemu.Config{ControlToken: "c-token"}, pagerdutyemu.Shift{User: "PANA"})
	emu.PutUser(pagerdutyemu.User{ID: "PANA", Name: "Ana", Email: "Ana@example.com"})
	emu.PutService(pagerdutyemu.Service{ID: "SHOP", Name: "Shop", Policy: "PONE"})
	_, err := emu.Trigger(pagerdutyemu.Trigger{Service: "SHOP", Title: "The shop is shut", Key: "shut"})
	wantNil(t, err)
	return emu
}

func TestAChangeOfAnIncidentIsTakenOrRefused(t *testing.T) {
	acknowledge := `{"incident":{"type":"incident_reference","status":"acknowledged"}}`
	for name, test := range map[string]struct {
		verb, target, body, from string
		want                     int
		violates                 bool
	}{
		"acknowledged":     {"PUT", "/incidents/QINC0001", acknowledge, "ana@example.com", 200, false},
		"nobody's":         {"PUT", "/incidents/QINC0001", acknowledge, "", 400, true},
		"a stranger's":     {"PUT", "/incidents/QINC0001", acknowledge, "eve@example.com", 400, false},
		"another incident": {"PUT", "/incidents/QNONE", acknowledge, "ana@example.com", 404, false},
		"unknown status":   {"PUT", "/incidents/QINC0001", `{"incident":{"type":"incident","status":"snoozed"}}`, "ana@example.com", 400, true},
		"no JSON":          {"PUT", "/incidents/QINC0001", `{`, "ana@example.com", 400, true},
		"a blank note":     {"POST", "/incidents/QINC0001/notes", `{"note":{"content":""}}`, "ana@example.com", 400, false},
		"nobody's note":    {"POST", "/incidents/QINC0001/notes", `{"note":{"content":"x"}}`, "", 400, true},
		"the same key": {
			"POST", "/incidents", `{"incident":{"type":"incident","title":"x","service":{"id":"SHOP"},"incident_key":"shut"}}`,
			"ana@example.com", 400, false,
		},
		"no such service": {
			"POST", "/incidents", `{"incident":{"type":"incident","title":"x","service":{"id":"SNONE"}}}`, "ana@example.com", 400, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			emu := shut(t)
			if w := send(t, emu, test.verb, test.target, test.body, "From", test.from); w.Code != test.want {
				t.Errorf("status %d: %s", w.Code, w.Body)
			}
			if violated := len(emu.Violations()) > 0; violated != test.violates {
				t.Errorf("violations: %v", emu.Violations())
			}
			want := pagerdutyemu.Triggered
			if test.want == http.StatusOK {
				want = pagerdutyemu.Acknowledged
			}
			if all := emu.Incidents(); len(all) != 1 || all[0].Status != want || len(all[0].Notes) != 0 {
				t.Errorf("incidents: %+v", all)
			}
		})
	}
}

func TestAScriptLetsAnIncidentHappen(t *testing.T) {
	emu := shut(t)
	for _, step := range []struct {
		command, body string
		want          int
	}{
		{"service", `{"id":"SLOW","name":"Slow","policy":"PONE"}`, 204},
		{"trigger", `{"service":"SLOW","title":"Slow","key":"slow"}`, 200},
		{"trigger", `{"service":"SLOW","title":"Slow again","key":"slow"}`, 200},
		{"acknowledge", `{"incident":"QINC0002","user":"PANA"}`, 204},
		{"acknowledge", `{"incident":"QINC0002"}`, 400},
		{"note", `{"incident":"QINC0002","user":"PANA","content":"Looking"}`, 200},
		{"note", `{"incident":"QINC0002","user":"PANA"}`, 400},
		{"resolve", `{"incident":"QINC0001"}`, 204},
		{"resolve", `{"incident":"QINC0001"}`, 400},
		{"trigger", `{"service":"SNONE","title":"x"}`, 400},
		{"service", `{"name":"nameless"}`, 400},
	} {
		if w := control(t, emu, step.command, step.body); w.Code != step.want {
			t.Errorf("%s %s answers %d: %s", step.command, step.body, w.Code, w.Body)
		}
	}
	type seen struct{ Title, Status, By string }
	var got []seen
	for _, i := range decode[[]pagerdutyemu.Incident](t, control(t, emu, "incidents", "").Body) {
		got = append(got, seen{i.Title, i.Status, i.By})
	}
	want := []seen{{"The shop is shut", "resolved", ""}, {"Slow", "acknowledged", "PANA"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("incidents (-want +got):\n%s", diff)
	}
}

func TestAFaultAfterItsEffectLosesOnlyTheAnswer(t *testing.T) {
	emu := shut(t)
	held := emu.Hold(pagerdutyemu.Hold{Method: "note.create", When: pagerdutyemu.After})
	emu.Inject(pagerdutyemu.Fault{Method: "incidents", Status: 500, Times: 1})
	if w := get(t, emu, "/incidents"); w.Code != http.StatusInternalServerError {
		t.Errorf("status %d", w.Code)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() { _ = recover() }() // how a handler cuts its connection
		send(t, emu, "POST", "/incidents/QINC0001/notes", `{"note":{"content":"Looking"}}`)
	}()
	<-held.Arrived()
	held.Drop()
	<-done
	if written := emu.Incidents()[0].Notes; len(written) != 1 {
		t.Errorf("notes: %v", written)
	}
}
