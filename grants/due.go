package grants

import "time"

// IssuingPatience is how long a credential may be Issuing before it is taken for lost and
// retired. It is longer than any call to an issuer may take.
const IssuingPatience = 30 * time.Second

// ExpirySkew is how far a target's clock may be behind ours: a credential counts as dead
// by its own expiry only this much later.
const ExpirySkew = 5 * time.Second

// Retry is what is known of attempts that failed. It changes without events.
type Retry struct {
	Attempts  int       `json:"attempts,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	Failing   time.Time `json:"failing,omitzero"` // since when
	Error     string    `json:"error,omitempty"`
}

// After is the retry after one more failure: it waits twice as long each time, from one
// second up to five minutes.
func (r Retry) After(err string, now time.Time) Retry {
	r.Attempts++
	r.Error = err
	if r.Failing.IsZero() {
		r.Failing = now
	}
	r.NotBefore = now.Add(min(time.Second<<min(r.Attempts-1, 20), 5*time.Minute))
	return r
}

// Conclusive reports whether evidence gathered at a time is proof. A call that issues may take
// effect after its caller died or gave up; until it has answered or IssuingPatience has passed, a
// credential that is absent now may still come to life.
func (c Credential) Conclusive(at time.Time) bool {
	return c.Answered || !at.Before(c.Intended.Add(IssuingPatience))
}

// Due is when something must happen to a grant next, by what it waits for; zero: never by
// itself.
type Due struct {
	Decide   time.Time // a decision, for which PagerDuty is asked
	Deadline time.Time // what time alone brings; nobody is asked
	Call     time.Time // a call to the grant's issuer
}

// NextAt says when something must happen to the grant next.
func (g Grant) NextAt(decide, call Retry) Due {
	var d Due
	switch g.State {
	case Asked:
		d.Decide = later(g.Asked, decide.NotBefore)
		d.Deadline = g.Asked.Add(g.Role.PendingFor)
	case Pending:
		d.Deadline = g.PendingUntil
		if g.Question().Approved() {
			d.Decide = later(g.Asked, decide.NotBefore)
		}
	case Open:
		d.Deadline = g.Ends
		if x := g.extending(); x != nil {
			d.Deadline = sooner(d.Deadline, x.PendingUntil)
			if x.State == Asked || x.Question(g).Approved() {
				d.Decide = later(x.At, decide.NotBefore)
			}
		}
	case Closing:
		if g.dead() {
			d.Deadline = g.Ended
		}
	}
	for _, c := range g.Credentials {
		switch c.State {
		case Issuing:
			d.Deadline = sooner(d.Deadline, c.Since.Add(IssuingPatience))
		case Live:
			d.Deadline = sooner(d.Deadline, c.Expires.Add(ExpirySkew))
		case Retiring:
			d.Call = sooner(d.Call, later(c.Since, call.NotBefore))
		}
	}
	return d
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
