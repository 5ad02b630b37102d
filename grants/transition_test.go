package grants_test

import (
	"errors"
	"testing"
	"time"

	"nightlatch/grants"
)

func asked() grants.Grant { return grants.New("g", "T1.U1", role(), time.Hour, "C1", t0) }

func opened(t *testing.T) grants.Grant {
	t.Helper()
	return must(t)(asked().OpenUp(grants.Decide(input()), t0))
}

func must(t *testing.T) func(grants.Grant, error) grants.Grant {
	return func(g grants.Grant, err error) grants.Grant {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
}

// issuing is an open grant with one credential that is being made.
func issuing(t *testing.T) grants.Grant {
	t.Helper()
	g, _, err := opened(t).Intend("inst0001", at(60), t0)
	return must(t)(g, err)
}

func TestLiveNeverOverwritesRetiring(t *testing.T) {
	g := must(t)(issuing(t).Retire(1, false, t0))
	if _, err := g.Enliven(1, t0); !errors.Is(err, grants.ErrNotNow) {
		t.Errorf("a retiring credential became live: %v", err)
	}
	ended, _, err := issuing(t).End(grants.Revoked, "T1.U2", t0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ended.Enliven(1, t0); !errors.Is(err, grants.ErrNotNow) {
		t.Errorf("a credential became live under a closing grant: %v", err)
	}
	if _, err := issuing(t).Enliven(1, at(60)); !errors.Is(err, grants.ErrNotNow) {
		t.Errorf("a credential became live at the grant's end: %v", err)
	}
}

func TestAVoteCountsOnce(t *testing.T) {
	v := grants.Decide(input(func(in *grants.Input) { in.Role.Automatic, in.Role.Voters.Count = grants.Never, 2 }))
	g := must(t)(asked().Wait(v, t0))
	yes := grants.Vote{Person: "T1.U2", Yes: true, At: t0, Claim: grants.Claim{Right: grants.ByName}}
	g = must(t)(g.Cast(yes))
	if _, err := g.Cast(yes); !errors.Is(err, grants.ErrNotNow) {
		t.Errorf("a second vote of the same person: %v", err)
	}
	if g.Question().Approved() {
		t.Error("one yes of two approves")
	}
	yes.Person = "T1.U3"
	if g = must(t)(g.Cast(yes)); !g.Question().Approved() {
		t.Error("two yes of two do not approve")
	}
}

func TestOneNoDenies(t *testing.T) {
	v := grants.Decide(input(func(in *grants.Input) { in.Role.Automatic, in.Role.Voters.Count = grants.Never, 2 }))
	g := must(t)(asked().Wait(v, t0))
	g = must(t)(g.Cast(grants.Vote{Person: "T1.U2", Yes: true, At: t0}))
	g = must(t)(g.Cast(grants.Vote{Person: "T1.U3", At: t0}))
	if g.State != grants.Closed || g.Outcome != grants.Denied || g.EndedBy != "T1.U3" {
		t.Errorf("after a no: %s, %s by %s", g.State, g.Outcome, g.EndedBy)
	}
}

func TestOnlyWhoDeniedSaysWhyOnceAndSoon(t *testing.T) {
	v := grants.Decide(input(func(in *grants.Input) { in.Role.Automatic = grants.Never }))
	g := must(t)(asked().Wait(v, t0))
	if _, err := g.Explain("T1.U3", t0); !errors.Is(err, grants.ErrNotNow) {
		t.Errorf("a request that nobody denied is explained: %v", err)
	}
	g = must(t)(g.Cast(grants.Vote{Person: "T1.U3", At: t0}))
	for who, at := range map[grants.PersonKey]time.Time{"T1.U2": t0, "T1.U1": t0, "T1.U3": t0.Add(grants.ExplainFor + 1)} {
		if _, err := g.Explain(who, at); !errors.Is(err, grants.ErrNotNow) {
			t.Errorf("%s explains at %s: %v", who, at, err)
		}
	}
	said := must(t)(g.Explain("T1.U3", at(1)))
	if said.State != grants.Closed || !said.Closed.Equal(g.Closed) {
		t.Errorf("explaining moved the end from %s to %s", g.Closed, said.Closed)
	}
	said.Explained = 7
	if _, err := said.Explain("T1.U3", at(1)); !errors.Is(err, grants.ErrNotNow) {
		t.Errorf("explained twice: %v", err)
	}
}

func TestNothingRevealedClosesAtOnce(t *testing.T) {
	g, kind, err := opened(t).End(grants.Returned, "T1.U1", t0)
	if err != nil || g.State != grants.Closed || kind != grants.KindClosed {
		t.Errorf("%s by %s, %v; want closed", g.State, kind, err)
	}
}

func TestDeadIsProven(t *testing.T) {
	g, _, err := must(t)(issuing(t).Enliven(1, t0)).End(grants.Expired, "", at(60))
	if err != nil || g.State != grants.Closing || g.Credentials[0].State != grants.Retiring {
		t.Fatalf("%s with %s, %v; want closing with a retiring credential", g.State, g.Credentials[0].State, err)
	}
	if _, err := g.Close(at(60)); err == nil {
		t.Error("closed with a credential that is not proven dead")
	}
	if _, err := g.Bury(1, grants.AliveFinding, at(60)); err == nil {
		t.Error(`"live" counts as evidence of death`)
	}
	g = must(t)(g.Bury(1, grants.RefusedFinding, at(60)))
	if g = must(t)(g.Close(at(60))); g.State != grants.Closed || g.Outcome != grants.Expired {
		t.Errorf("%s, %s", g.State, g.Outcome)
	}
}

func TestNoProofWhileIssuingMayStillTakeEffect(t *testing.T) {
	g := must(t)(issuing(t).Retire(1, false, at(0)))
	if _, err := g.Bury(1, grants.AbsentFinding, t0.Add(grants.IssuingPatience-1)); err == nil {
		t.Error("absent counts while the call that issues may still take effect")
	}
	must(t)(g.Bury(1, grants.AbsentFinding, t0.Add(grants.IssuingPatience)))
	must(t)(must(t)(g.Answer(1, at(0))).Bury(1, grants.AbsentFinding, at(0)))
}

func TestAChangeNeverWritesIntoTheGrantItCameFrom(t *testing.T) {
	before := issuing(t)
	must(t)(before.Enliven(1, t0))
	if before.Credentials[0].State != grants.Issuing {
		t.Error("the old value changed; a transaction that runs twice would see it")
	}
}

func TestClosedIsFinal(t *testing.T) {
	g := must(t)(asked().Withdraw(t0))
	for _, kind := range []grants.Kind{
		grants.KindPending, grants.KindOpened, grants.KindRefused, grants.KindVoted, grants.KindDenied, grants.KindLapsed, grants.KindWithdrawn,
		grants.KindIssuing, grants.KindLive, grants.KindRetiring, grants.KindUndelivered, grants.KindGone, grants.KindShift, grants.KindClosing, grants.KindClosed,
		grants.KindExtensionAsked, grants.KindExtensionPending, grants.KindExtended, grants.KindExtensionVoted, grants.KindExtensionDenied,
	} {
		if _, ok := grants.Allowed(kind, g.State); ok {
			t.Errorf("a closed grant can still be %s", kind)
		}
	}
}

func TestNextAt(t *testing.T) {
	none := grants.Retry{}
	if d := asked().NextAt(none, none); !d.Decide.Equal(t0) {
		t.Errorf("asked: %v", d)
	}
	if d := opened(t).NextAt(none, none); !d.Deadline.Equal(at(60)) || !d.Call.IsZero() {
		t.Errorf("open: %v", d)
	}
	if d := issuing(t).NextAt(none, none); !d.Deadline.Equal(t0.Add(grants.IssuingPatience)) {
		t.Errorf("issuing: %v", d)
	}
	live := must(t)(issuing(t).Enliven(1, t0))
	ended, _, _ := live.End(grants.Returned, "T1.U1", at(1))
	if d := ended.NextAt(none, none); !d.Call.Equal(at(1)) || !d.Deadline.IsZero() {
		t.Errorf("closing: %v", d)
	}
	failed := none.After("no route", at(1)).After("no route", at(2))
	if d := ended.NextAt(none, failed); !d.Call.Equal(at(2).Add(2 * time.Second)) {
		t.Errorf("closing after two failures: %v", d)
	}
}

func TestRetryBacksOffToFiveMinutes(t *testing.T) {
	var r grants.Retry
	for range 100 {
		r = r.After("down", t0)
	}
	if got := r.NotBefore.Sub(t0); got != 5*time.Minute || r.Attempts != 100 || !r.Failing.Equal(t0) {
		t.Errorf("after 100 failures: in %s, %d attempts, since %s", got, r.Attempts, r.Failing)
	}
}

func TestGrantIDsSortByTime(t *testing.T) {
	a, b := grants.NewID(t0, [10]byte{255, 255}), grants.NewID(t0.Add(time.Millisecond), [10]byte{})
	if len(a) != 26 || a >= b || !grants.ValidID(a) || grants.ValidID("g") || grants.ValidID(a+"a") {
		t.Errorf("IDs %q and %q", a, b)
	}
	name := grants.CredentialName("inst0001", a, 12)
	if id, ok := grants.GrantOf("inst0001", name); !ok || id != a || len(name) > 63 {
		t.Errorf("the name %q gives %q, %v", name, id, ok)
	}
	if _, ok := grants.GrantOf("inst0002", name); ok {
		t.Error("another instance's credential is ours")
	}
}
