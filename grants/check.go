package grants

import (
	"bytes"
	"fmt"
	"slices"
	"time"
)

// Violation is a promise that the stored state does not keep.
type Violation struct {
	Rule   string
	Grant  string
	Seq    int64 // of the event where it shows, or -1
	Detail string
}

func (v Violation) String() string {
	return fmt.Sprintf("%s: grant %s, event %d: %s", v.Rule, v.Grant, v.Seq, v.Detail)
}

// Stored is a grant as it lies in the ledger, with the digest of its bytes.
type Stored struct {
	Grant  Grant
	Digest string
}

// Lateness is how long after its time something due may still be undone in a running service.
const Lateness = 5 * time.Second

// Check holds the promises against the stored grants and all events, in order from the first. It
// repeats every decision on its recorded input and every step of every grant's life.
func Check(state []Stored, events []Event, now time.Time) []Violation {
	c := checker{lives: map[string]*life{}}
	for i, e := range events {
		c.event(int64(i), e)
	}
	for _, s := range state {
		c.stored(s, now)
	}
	for id, l := range c.lives {
		if !l.stored {
			c.broken("nothing is lost", id, l.seq, "the log leads to a grant that is not stored")
		}
	}
	return c.found
}

// life is what the log says about one grant.
type life struct {
	state       State
	person      PersonKey
	seq         int64
	doc         string
	votes       map[int][]Vote // by the ordinal of the extension that they are about; 0: the request
	latest      time.Time      // the latest end that its decisions allow
	credentials map[string]CredentialState
	stored      bool
}

type checker struct {
	lives map[string]*life
	found []Violation
}

func (c *checker) broken(rule, grant string, seq int64, format string, args ...any) {
	c.found = append(c.found, Violation{rule, grant, seq, fmt.Sprintf(format, args...)})
}

// event follows one event.
func (c *checker) event(want int64, e Event) {
	if e.Seq != want {
		c.broken("no event is missing or doubled", e.Grant, e.Seq, "expected event %d", want)
	}
	if e.Doc == "" {
		return // it left every grant as it was
	}
	l := c.lives[e.Grant]
	if l == nil {
		if e.Kind != KindAsked {
			c.broken("a grant begins with a request", e.Grant, e.Seq, "begins as %s", e.Kind)
		}
		c.lives[e.Grant] = &life{state: Asked, person: e.Actor.Person, seq: e.Seq, doc: e.Doc, votes: map[int][]Vote{}, credentials: map[string]CredentialState{}}
		return
	}
	to, ok := Allowed(e.Kind, l.state)
	if !ok {
		c.broken("a grant follows its table", e.Grant, e.Seq, "%s from %s", e.Kind, l.state)
	}
	c.vote(l, e)
	c.decision(l, e)
	c.credential(l, e)
	l.seq, l.doc, l.state = e.Seq, e.Doc, to
}

// vote: one human, one vote, and nobody for themselves.
func (c *checker) vote(l *life, e Event) {
	const rule = "one human, one vote"
	if e.Kind == KindExplained && !slices.ContainsFunc(l.votes[0], func(v Vote) bool { return !v.Yes && v.Person == e.Actor.Person }) {
		c.broken(rule, e.Grant, e.Seq, "%s explained a no of somebody else", e.Actor.Person)
	}
	if e.Vote == nil {
		return
	}
	if e.Vote.Person == l.person {
		c.broken(rule, e.Grant, e.Seq, "%s voted for themselves", l.person)
	}
	about := about(e)
	if slices.ContainsFunc(l.votes[about], func(v Vote) bool { return v.Person == e.Vote.Person }) {
		c.broken(rule, e.Grant, e.Seq, "%s voted twice", e.Vote.Person)
	}
	l.votes[about] = append(l.votes[about], *e.Vote)
}

// decision: on call, or a human said yes, and the verdict follows from its input.
func (c *checker) decision(l *life, e Event) {
	gives := e.Kind == KindOpened || e.Kind == KindExtended
	if gives && (e.Input == nil || e.Verdict == nil || e.Verdict.Decision != Allow) {
		c.broken("on call, or a human said yes", e.Grant, e.Seq, "%s without a verdict that allows it", e.Kind)
		return
	}
	if e.Input == nil || e.Verdict == nil {
		return
	}
	again, err1 := Encode(Decide(*e.Input))
	was, err2 := Encode(*e.Verdict)
	if err1 != nil || err2 != nil || !bytes.Equal(again, was) {
		c.broken("a verdict follows from its input", e.Grant, e.Seq, "recorded %s, decided again %s", was, again)
	}
	if gives {
		c.given(l, e)
	}
}

// given holds what opens or extends a grant against the rule, without asking Decide.
func (c *checker) given(l *life, e Event) {
	in := e.Input
	onCall := in.Answer.Known && in.Answer.OnCall
	q := Question{Voters: votersFor(e.Verdict.Basis, in.Role), Votes: l.votes[in.Extension]}
	approved, yes := q.Approved(), q.Yes()
	l.latest = later(l.latest, in.Now.Add(in.Role.Max))
	switch {
	case in.Extension != about(e), (e.Kind == KindExtended) != (in.Extension > 0):
		c.broken("on call, or a human said yes", e.Grant, e.Seq, "%s by a decision about extension %d", e.Kind, in.Extension)
	case e.Kind == KindExtended && in.Stale:
		c.broken("on call, or a human said yes", e.Grant, e.Seq, "extended by a role that is not offered any more")
	case e.Kind == KindExtended && !in.Answer.Known && in.Person.PagerDuty != "":
		c.broken("nothing is extended on stale knowledge", e.Grant, e.Seq, "PagerDuty was silent")
	case in.Person.Key != l.person, in.Grant != e.Grant:
		c.broken("on call, or a human said yes", e.Grant, e.Seq, "decided about %s and grant %s", in.Person.Key, in.Grant)
	case e.Verdict.Basis == ByOnCall && !(onCall && in.Answer.Settled && in.Role.Automatic == WhenOnCall),
		e.Verdict.Basis == ByVotes && !(onCall && approved),
		e.Verdict.Basis == ByOffCallVotes && !approved:
		c.broken("on call, or a human said yes", e.Grant, e.Seq, "opened by %s with %d yes", e.Verdict.Basis, yes)
	case e.Verdict.Ends.After(in.Now.Add(in.Role.Max)):
		c.broken("every credential dies", e.Grant, e.Seq, "ends later than the role's maximum")
	}
}

// about is the ordinal of the extension that an event is about; 0: the request.
func about(e Event) int {
	if e.Extension == nil {
		return 0
	}
	return e.Extension.Ordinal
}

// credential: Issuing, Live, Retiring, Gone, and gone only on evidence.
func (c *checker) credential(l *life, e Event) {
	const rule = "every credential dies"
	was := l.credentials[e.Credential]
	next, from := CredentialState(""), []CredentialState(nil)
	switch e.Kind {
	case KindIssuing:
		next, from = Issuing, []CredentialState{""}
	case KindLive:
		next, from = Live, []CredentialState{Issuing}
	case KindUndelivered:
		next, from = Retiring, []CredentialState{Live}
	case KindRetiring:
		next, from = Retiring, []CredentialState{Issuing, Live, Retiring}
	case KindGone:
		next, from = Gone, []CredentialState{Retiring}
		if !e.Evidence.Dead() {
			c.broken("dead is proven", e.Grant, e.Seq, "%s is gone by %q", e.Credential, e.Evidence)
		}
	case KindClosing:
		for name, s := range l.credentials {
			if s != Gone {
				l.credentials[name] = Retiring
			}
		}
		return
	case KindClosed:
		for name, s := range l.credentials {
			if s != Gone {
				c.broken("dead is proven", e.Grant, e.Seq, "closed while %s is %s", name, s)
			}
		}
		return
	default:
		return
	}
	if !slices.Contains(from, was) {
		c.broken(rule, e.Grant, e.Seq, "%s went from %q to %s", e.Credential, was, next)
	}
	l.credentials[e.Credential] = next
}

// stored compares a document with what the log leads to, and with the time.
func (c *checker) stored(s Stored, now time.Time) {
	g := s.Grant
	l := c.lives[g.ID]
	if l == nil {
		c.broken("nothing happens unrecorded", g.ID, -1, "no event leads to it")
		return
	}
	l.stored = true
	if l.doc != s.Digest || l.state != g.State || l.seq != g.Seq {
		c.broken("nothing happens unrecorded", g.ID, l.seq, "the document is %s at event %d, the log says %s at %d", g.State, g.Seq, l.state, l.seq)
	}
	working := 0
	for _, cred := range g.Credentials {
		if l.credentials[cred.Name] != cred.State {
			c.broken("nothing happens unrecorded", g.ID, l.seq, "%s is %s, the log says %q", cred.Name, cred.State, l.credentials[cred.Name])
		}
		if cred.State == Issuing || cred.State == Live {
			working++
		}
		if g.Role.Verify == Offline && cred.State == Gone && cred.Evidence != ExpiredFinding {
			c.broken("dead is proven", g.ID, l.seq, "%s is gone by %q, and nobody who accepts it would know", cred.Name, cred.Evidence)
		}
	}
	late := now.Add(-Lateness)
	switch {
	case working > 0 && g.State != Open:
		c.broken("every credential dies", g.ID, l.seq, "%d credentials work while it is %s", working, g.State)
	case working > 2:
		c.broken("every credential dies", g.ID, l.seq, "%d credentials work at once", working)
	case g.State == Open && g.Ends.After(l.latest):
		c.broken("every credential dies", g.ID, l.seq, "ends at %s, and its decisions allow %s", g.Ends.Format(time.RFC3339), l.latest.Format(time.RFC3339))
	case g.State == Open && g.Ends.Before(late):
		c.broken("every credential dies", g.ID, l.seq, "open, though it ended at %s", g.Ends.Format(time.RFC3339))
	case g.State == Pending && g.PendingUntil.Before(late):
		c.broken("a request does not hang", g.ID, l.seq, "pending, though it lapsed at %s", g.PendingUntil.Format(time.RFC3339))
	}
}
