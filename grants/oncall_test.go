package grants_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nightlatch/grants"
)

func TestShiftAt(t *testing.T) {
	sources := []grants.Source{{Policy: "P1", Levels: []int{1}}, {Schedule: "S9"}}
	never := entry("PU1", 1, -60, 0)
	never.End = time.Time{}
	always := grants.Entry{User: "PU1", Policy: "P1", Level: 1}
	byS9 := grants.Entry{User: "PU1", Policy: "P7", Level: 3, Schedule: "S9", Start: at(50), End: at(90)}
	tests := []struct {
		name    string
		entries []grants.Entry
		want    *grants.Shift
	}{
		{"nobody", nil, nil},
		{"one entry", []grants.Entry{entry("PU1", 1, -10, 60)}, &grants.Shift{From: at(-10), Until: at(60)}},
		{"another person", []grants.Entry{entry("PU2", 1, -10, 60)}, nil},
		{"another level", []grants.Entry{entry("PU1", 2, -10, 60)}, nil},
		{"over", []grants.Entry{entry("PU1", 1, -10, 0)}, nil},
		{"not yet", []grants.Entry{entry("PU1", 1, 1, 60)}, nil},
		{"adjacent entries, out of order", []grants.Entry{entry("PU1", 1, 60, 90), entry("PU1", 1, -10, 60)}, &grants.Shift{From: at(-10), Until: at(90)}},
		{"a minute apart", []grants.Entry{entry("PU1", 1, -10, 60), entry("PU1", 1, 61, 90)}, &grants.Shift{From: at(-10), Until: at(90)}},
		{"two minutes apart", []grants.Entry{entry("PU1", 1, -10, 60), entry("PU1", 1, 62, 90)}, &grants.Shift{From: at(-10), Until: at(60)}},
		{"the same shift twice", []grants.Entry{entry("PU1", 1, -10, 60), entry("PU1", 1, -10, 60)}, &grants.Shift{From: at(-10), Until: at(60)}},
		{"one inside another", []grants.Entry{entry("PU1", 1, -10, 60), entry("PU1", 1, 0, 30)}, &grants.Shift{From: at(-10), Until: at(60)}},
		{"no end", []grants.Entry{never, entry("PU1", 1, 0, 30)}, &grants.Shift{From: at(-60)}},
		{"permanent", []grants.Entry{always}, &grants.Shift{}},
		{"two sources", []grants.Entry{entry("PU1", 1, -10, 60), byS9}, &grants.Shift{From: at(-10), Until: at(90)}},
		{"ends before it starts", []grants.Entry{entry("PU1", 1, 60, -10)}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := grants.ShiftAt("PU1", sources, tt.entries, t0)
			if ok != (tt.want != nil) {
				t.Fatalf("on call: %v, want %v", ok, tt.want != nil)
			}
			if ok && got != *tt.want {
				t.Error(cmp.Diff(*tt.want, got))
			}
		})
	}
}

func TestNobodyIsOnCallWithoutAPagerDutyUser(t *testing.T) {
	if _, ok := grants.ShiftAt("", []grants.Source{{Policy: "P1"}}, []grants.Entry{{Policy: "P1"}}, t0); ok {
		t.Error("an empty PagerDuty user is on call")
	}
}
