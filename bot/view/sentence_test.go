package view_test

import (
	"context"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"nightlatch/bot/view"
	"nightlatch/grants"
	"nightlatch/grants/service"
)

// codes are all codes of grants, read from its source, so that a new one cannot be without
// a sentence.
func codes(t *testing.T) []grants.Code {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../../grants/decide.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var all []grants.Code
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Code" {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, grants.Code(value))
		return true
	})
	if len(all) < 20 {
		t.Fatalf("only %d codes were found", len(all))
	}
	return all
}

func TestEveryReasonHasItsSentence(t *testing.T) {
	var lines []string
	for _, code := range codes(t) {
		r := grants.Reason{Code: code, People: []string{"PBEN"}, Until: noon, Count: 2}
		s := frame.Explain(r, role())
		if strings.Contains(s, string(code)+")") {
			t.Errorf("%s has no sentence", code)
		}
		lines = append(lines, fmt.Sprintf("%s: %s", code, s))
	}
	for _, s := range []grants.Standing{grants.Guest, grants.Bot, grants.Deleted, grants.Foreign, grants.Unconfirmed, grants.Unknown} {
		lines = append(lines, fmt.Sprintf("%s: %s", s, frame.Explain(grants.Reason{Code: grants.BadStanding, Detail: string(s)}, role())))
	}
	golden(t, "reasons", lines)
}

func TestEveryErrorHasItsSentence(t *testing.T) {
	open := notice(grants.Open).Grant
	denied := notice(grants.Closed, neverOpened, ended(grants.Denied, ben)).Grant
	unforeseen := frame.Sentence(io.ErrUnexpectedEOF)
	var lines []string
	for _, err := range []error{
		service.ErrBusy, service.ErrDuplicate, service.ErrNoSuchGrant, service.ErrJustShown, service.ErrOver, service.ErrDirectory,
		service.ErrIssuer, service.ErrNoSuchPerson, service.ErrNotFrozen, grants.ErrNotNow, context.DeadlineExceeded, view.ErrForeign, view.UsageError("Write it like this."),
		&service.TwoLiveError{Grant: open}, &service.Refusal{}, &service.Refusal{Grant: &denied},
		&service.Refusal{Grant: &open, Reasons: []grants.Reason{{Code: grants.AlreadyVoted, Until: noon}}},
		&service.Refusal{Grant: &open, Reasons: []grants.Reason{{Code: grants.NotAVoter}}},
	} {
		s := frame.Sentence(fmt.Errorf("taking: %w", err))
		if s == unforeseen {
			t.Errorf("%v has no sentence", err)
		}
		lines = append(lines, s)
	}
	golden(t, "errors", append(lines, unforeseen))
}

// The text of an error is for the operator. People read none of it.
func TestSentencesTellNoErrorText(t *testing.T) {
	for _, err := range []error{io.EOF, service.ErrIssuer, service.ErrBusy} {
		s := frame.Sentence(fmt.Errorf("dialing 10.0.0.1 with password hunter2: %w", err))
		if strings.Contains(s, "hunter2") || strings.Contains(s, "10.0.0.1") {
			t.Errorf("people read %q", s)
		}
	}
}

// Who may not know how a request stands is not told.
func TestRefusalTellsStrangersLittle(t *testing.T) {
	g := notice(grants.Open).Grant
	for _, code := range []grants.Code{grants.NotYours, grants.NotAVoter, grants.NotForYou, grants.BadStanding, grants.OwnRequest} {
		s := frame.Sentence(&service.Refusal{Grant: &g, Reasons: []grants.Reason{{Code: code}}})
		if strings.Contains(s, "until") || strings.Contains(s, "orders-read") {
			t.Errorf("%s: %s", code, s)
		}
	}
}

// Slack's bounds hold whatever the configuration and PagerDuty say.
func TestLongNames(t *testing.T) {
	n := notice(grants.Pending, waiting)
	n.Plan, n.Grant.Role.Description = strings.Repeat("plan ", 2000), strings.Repeat("words ", 2000)
	n.Grant.Role.Name, n.Reason = strings.Repeat("n", 500), strings.Repeat("r", 5000)
	for i := range 100 {
		n.Grant.Reasons = append(n.Grant.Reasons, grants.Reason{Code: grants.NotOnCall, People: slices.Repeat([]string{"PX"}, 50), Until: noon.Add(time.Duration(i) * time.Hour)})
	}
	for _, m := range []view.Message{frame.Card(n), frame.Verdict(n)} {
		for _, b := range m.Blocks {
			encoded, err := json.Marshal(b)
			if err != nil {
				t.Fatal(err)
			}
			if len(encoded) > 3500 { // texts of 3,000 characters, and their frame
				t.Errorf("a block of %d bytes", len(encoded))
			}
		}
	}
}
