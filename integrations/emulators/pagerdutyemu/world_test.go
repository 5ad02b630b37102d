package pagerdutyemu_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/integrations/emulators/pagerdutyemu"
)

// night is an account with one schedule on level 1 of one policy, and a chef as the direct target of level 2.
func night(config pagerdutyemu.Config, shifts ...pagerdutyemu.Shift) *pagerdutyemu.Emulator {
	emu := pagerdutyemu.New(config)
	emu.SetShifts("SNIGHT", shifts...)
	emu.PutPolicy(pagerdutyemu.Policy{ID: "PONE", Levels: []pagerdutyemu.Level{{{Schedule: "SNIGHT"}}, {{User: "PCHEF"}}}})
	return emu
}

func TestShiftsChangeAsTheWorldActs(t *testing.T) {
	hour := func(h int) time.Time { return time.Date(2000, 1, 1, h, 0, 0, 0, time.UTC) } // a bubble begins at hour 0
	shift := func(user string, from, until int) pagerdutyemu.Shift {
		return pagerdutyemu.Shift{User: user, Start: hour(from), End: hour(until)}
	}
	for name, test := range map[string]struct {
		act  func(*testing.T, *pagerdutyemu.Emulator)
		want []pagerdutyemu.Shift // of level 1 in the day, once the act at 4 o'clock is over
	}{
		"nothing": {func(*testing.T, *pagerdutyemu.Emulator) {}, []pagerdutyemu.Shift{shift("PANA", 0, 8), shift("PBEN", 8, 16)}},
		"end": {func(t *testing.T, e *pagerdutyemu.Emulator) {
			wantNil(t, e.EndShift("SNIGHT", "PANA"))
		}, []pagerdutyemu.Shift{shift("PANA", 0, 4), shift("PBEN", 8, 16)}},
		"end of who is not on call": {func(t *testing.T, e *pagerdutyemu.Emulator) {
			if e.EndShift("SNIGHT", "PBEN") == nil {
				t.Error("a shift that does not run was ended")
			}
		}, []pagerdutyemu.Shift{shift("PANA", 0, 8), shift("PBEN", 8, 16)}},
		"later end": {func(t *testing.T, e *pagerdutyemu.Emulator) {
			wantNil(t, e.MoveEnd("SNIGHT", "PANA", hour(10)))
		}, []pagerdutyemu.Shift{shift("PANA", 0, 10), shift("PBEN", 8, 16)}},
		"end of the next": {func(t *testing.T, e *pagerdutyemu.Emulator) {
			wantNil(t, e.MoveEnd("SNIGHT", "PBEN", hour(12)))
		}, []pagerdutyemu.Shift{shift("PANA", 0, 8), shift("PBEN", 8, 12)}},
		"end before the start": {func(t *testing.T, e *pagerdutyemu.Emulator) {
			if e.MoveEnd("SNIGHT", "PBEN", hour(8)) == nil || e.MoveEnd("SNIGHT", "PCHEF", hour(8)) == nil {
				t.Error("an impossible end was accepted")
			}
		}, []pagerdutyemu.Shift{shift("PANA", 0, 8), shift("PBEN", 8, 16)}},
		"swap": {func(_ *testing.T, e *pagerdutyemu.Emulator) {
			e.Swap("SNIGHT", "PANA", "PBEN")
		}, []pagerdutyemu.Shift{shift("PANA", 0, 4), shift("PBEN", 4, 8), shift("PANA", 8, 16)}},
		"swap under an override": {func(_ *testing.T, e *pagerdutyemu.Emulator) {
			e.Override("SNIGHT", shift("PBEN", 3, 6))
			e.Swap("SNIGHT", "PANA", "PBEN")
		}, []pagerdutyemu.Shift{shift("PANA", 0, 3), shift("PBEN", 3, 4), shift("PANA", 4, 6), shift("PBEN", 6, 8), shift("PANA", 8, 16)}},
		"end of an override": {func(t *testing.T, e *pagerdutyemu.Emulator) {
			e.Override("SNIGHT", shift("PDAN", 3, 6))
			wantNil(t, e.EndShift("SNIGHT", "PDAN"))
		}, []pagerdutyemu.Shift{shift("PANA", 0, 3), shift("PDAN", 3, 4), shift("PANA", 4, 8), shift("PBEN", 8, 16)}},
		"end of a shift whose place is taken": {func(t *testing.T, e *pagerdutyemu.Emulator) {
			e.Override("SNIGHT", shift("PDAN", 3, 6))
			if e.EndShift("SNIGHT", "PANA") == nil {
				t.Error("a shift was ended whose place an override has")
			}
		}, []pagerdutyemu.Shift{shift("PANA", 0, 3), shift("PDAN", 3, 6), shift("PANA", 6, 8), shift("PBEN", 8, 16)}},
		"later end of an override": {func(t *testing.T, e *pagerdutyemu.Emulator) {
			e.Override("SNIGHT", shift("PDAN", 3, 6))
			wantNil(t, e.MoveEnd("SNIGHT", "PDAN", hour(9)))
		}, []pagerdutyemu.Shift{shift("PANA", 0, 3), shift("PDAN", 3, 9), shift("PBEN", 9, 16)}},
		"override over another": {func(_ *testing.T, e *pagerdutyemu.Emulator) {
			e.Override("SNIGHT", shift("PDAN", 5, 8))
			e.Override("SNIGHT", shift("PEVE", 4, 6))
		}, []pagerdutyemu.Shift{shift("PANA", 0, 4), shift("PEVE", 4, 6), shift("PDAN", 6, 8), shift("PBEN", 8, 16)}},
		"other shifts": {func(_ *testing.T, e *pagerdutyemu.Emulator) {
			e.Override("SNIGHT", shift("PDAN", 5, 8))
			e.SetShifts("SNIGHT", shift("PBEN", 0, 16))
		}, []pagerdutyemu.Shift{shift("PBEN", 0, 16)}},
		"override within": {func(_ *testing.T, e *pagerdutyemu.Emulator) {
			e.Override("SNIGHT", shift("PDAN", 5, 6))
		}, []pagerdutyemu.Shift{shift("PANA", 0, 5), shift("PDAN", 5, 6), shift("PANA", 6, 8), shift("PBEN", 8, 16)}},
		"override over a hand-off": {func(_ *testing.T, e *pagerdutyemu.Emulator) {
			e.Override("SNIGHT", shift("PDAN", 7, 9))
		}, []pagerdutyemu.Shift{shift("PANA", 0, 7), shift("PDAN", 7, 9), shift("PBEN", 9, 16)}},
		"override for ever": {func(_ *testing.T, e *pagerdutyemu.Emulator) {
			e.Override("SNIGHT", pagerdutyemu.Shift{User: "PDAN", Start: hour(7)})
		}, []pagerdutyemu.Shift{shift("PANA", 0, 7), {User: "PDAN", Start: hour(7)}}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				emu := night(pagerdutyemu.Config{}, shift("PANA", 0, 8), shift("PBEN", 8, 16))
				time.Sleep(4*time.Hour + 300*time.Millisecond)
				test.act(t, emu)
				if diff := cmp.Diff(test.want, firstLevel(emu, hour(0), hour(16))); diff != "" {
					t.Errorf("shifts (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// firstLevel lists the shifts of level 1 that somebody sees who looks once an hour.
func firstLevel(emu *pagerdutyemu.Emulator, from, until time.Time) []pagerdutyemu.Shift {
	var seen []pagerdutyemu.Shift
	for at := from; at.Before(until); at = at.Add(time.Hour) {
		for _, c := range emu.OnCall(at) {
			s := pagerdutyemu.Shift{User: c.User, Start: c.Start, End: c.End}
			if c.Level == 1 && !slices.Contains(seen, s) {
				seen = append(seen, s)
			}
		}
	}
	return seen
}

func wantNil(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}
