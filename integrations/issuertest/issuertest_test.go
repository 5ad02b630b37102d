package issuertest_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/service"
	"nightlatch/integrations/issuertest"
)

// shelf is a target in memory. It enforces its expiries, and keeps one secret per name.
type shelf struct {
	mu   sync.Mutex
	keys map[string]key
	n    int
}

type key struct {
	secret string
	until  time.Time
}

// clerk issues what lies on a shelf, for one installation.
type clerk struct {
	*shelf
	instance string
}

const greatest = 12 * time.Hour

var errNotThere = errors.New("not there")

func (clerk) Describe(grants.Verify) grants.Description {
	return grants.Description{Least: time.Second, Greatest: greatest, Class: grants.Instant}
}

func (clerk) Plan(_ context.Context, o grants.Order) (grants.Plan, error) {
	until := o.Until
	if last := o.Now.Add(greatest); until.After(last) {
		until = last
	}
	if !until.After(o.Now) {
		return grants.Plan{}, errors.New("the grant is over")
	}
	return grants.Plan{Sentence: "A key.", Until: until}, nil
}

func (c clerk) Issue(ctx context.Context, o grants.Order) (grants.Secret, error) {
	p, err := c.Plan(ctx, o)
	if err = errors.Join(err, ctx.Err()); err != nil {
		return grants.Secret{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	secret := fmt.Sprintf("key-%d-of-%s", c.n, o.Name)
	c.keys[o.Name] = key{secret, p.Until}
	return grants.NewSecret(secret), nil
}

func (c clerk) Renew(_ context.Context, name string, until time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, there := c.keys[name]
	if _, ok := grants.GrantOf(c.instance, name); !there || !ok {
		return errNotThere
	}
	k.until = until
	c.keys[name] = k
	return nil
}

func (c clerk) Revoke(ctx context.Context, name string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := grants.GrantOf(c.instance, name); ok && ctx.Err() == nil {
		delete(c.keys, name)
	}
	return ctx.Err()
}

func (c clerk) Check(_ context.Context, h grants.Handle, now time.Time) (grants.Finding, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, there := c.keys[h.Name]
	switch {
	case !there:
		return grants.AbsentFinding, nil
	case !now.Before(k.until):
		return grants.ExpiredFinding, nil
	}
	return grants.AliveFinding, nil
}

func (s *shelf) opens(_ testing.TB, name string, secret grants.Secret) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	k, there := s.keys[name]
	return there && k.secret == secret.Expose() && time.Now().Before(k.until)
}

// target is a new shelf; spoil changes its clerks.
func target(spoil func(clerk) service.Issuer) issuertest.Target {
	s := &shelf{keys: map[string]key{}}
	return issuertest.Target{
		Issuer: func(_ testing.TB, instance string) service.Issuer { return spoil(clerk{s, instance}) },
		Opens:  s.opens,
	}
}

func TestSuitePasses(t *testing.T) {
	issuertest.Run(t, target(func(c clerk) service.Issuer { return c }))
}

// TestSuiteNotices: an issuer that breaks a promise fails the case of that promise.
func TestSuiteNotices(t *testing.T) {
	for _, c := range []struct {
		name, fails string
		spoil       func(clerk) service.Issuer
	}{
		{"a liar", "a credential opens until it is revoked", func(c clerk) service.Issuer { return issuertest.Liar{Issuer: c} }},
		{"what is gone is an error", "what nobody made is revoked already", func(c clerk) service.Issuer { return strict{c} }},
		{"no expiry", "a credential opens until it expires", func(c clerk) service.Issuer { return eternal{c} }},
		{"a check that believes itself", "a check asks the target", func(c clerk) service.Issuer { return sure{c} }},
		{"two under one name", "an issue that is repeated leaves one credential", func(c clerk) service.Issuer { return doubled{c} }},
		{"whole families", "one credential's end is nobody else's", func(c clerk) service.Issuer { return sweeping{c} }},
		{"everybody's", "another installation's names are left alone", func(c clerk) service.Issuer { return anybodys{c} }},
		{"a renewal that issues", "a renewal wakes nothing up", func(c clerk) service.Issuer { return waking{c} }},
		{"a secret told", "an issue that is repeated leaves one credential", func(c clerk) service.Issuer { return telling{c} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			if said := played(t, c.fails, target(c.spoil)); said == "" {
				t.Errorf("%q passes", c.fails)
			}
		})
	}
}

type strict struct{ clerk }

func (s strict) Revoke(ctx context.Context, name string) error {
	if s.opensNothing(name) {
		return errNotThere
	}
	return s.clerk.Revoke(ctx, name)
}

func (s *shelf) opensNothing(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, there := s.keys[name]
	return !there
}

type eternal struct{ clerk }

func (e eternal) Issue(ctx context.Context, o grants.Order) (grants.Secret, error) {
	secret, err := e.clerk.Issue(ctx, o)
	return secret, errors.Join(err, e.Renew(ctx, o.Name, o.Until.Add(greatest)))
}

type sure struct{ clerk }

func (sure) Check(context.Context, grants.Handle, time.Time) (grants.Finding, error) {
	return grants.RefusedFinding, nil
}

type doubled struct{ clerk }

func (d doubled) Issue(ctx context.Context, o grants.Order) (grants.Secret, error) {
	if !d.opensNothing(o.Name) {
		o.Name += "-again"
	}
	return d.clerk.Issue(ctx, o)
}

type sweeping struct{ clerk }

func (s sweeping) Revoke(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for other := range s.keys {
		if strings.HasPrefix(other, name) {
			delete(s.keys, other)
		}
	}
	return nil
}

type anybodys struct{ clerk }

func (a anybodys) Revoke(_ context.Context, name string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.keys, name)
	return nil
}

type waking struct{ clerk }

func (w waking) Renew(ctx context.Context, name string, until time.Time) error {
	_, err := w.Issue(ctx, grants.Order{Name: name, Now: time.Now(), Until: until})
	return err
}

type telling struct{ clerk }

func (l telling) Issue(ctx context.Context, o grants.Order) (grants.Secret, error) {
	l.mu.Lock()
	k, there := l.keys[o.Name]
	l.mu.Unlock()
	if there {
		return grants.Secret{}, fmt.Errorf("the key is already %s", k.secret)
	}
	return l.clerk.Issue(ctx, o)
}

// recorder is a test that may fail.
type recorder struct {
	testing.TB
	mu   sync.Mutex
	said string
	undo []func()
}

func (r *recorder) Helper()                     {}
func (r *recorder) Cleanup(f func())            { r.undo = append(r.undo, f) }
func (r *recorder) Error(args ...any)           { r.say(fmt.Sprintln(args...)) }
func (r *recorder) Errorf(f string, a ...any)   { r.say(fmt.Sprintf(f+"\n", a...)) }
func (r *recorder) Fatal(args ...any)           { r.Error(args...); runtime.Goexit() }
func (r *recorder) Fatalf(f string, a ...any)   { r.Errorf(f, a...); runtime.Goexit() }
func (r *recorder) Skip(args ...any)            { r.Fatal(args...) }
func (r *recorder) Skipf(f string, args ...any) { r.Fatalf(f, args...) }

func (r *recorder) say(what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.said += what
}

// played runs one case of the suite and returns what it complains of.
func played(t *testing.T, name string, target issuertest.Target) string {
	t.Helper()
	r := &recorder{TB: t}
	for _, c := range issuertest.Cases() {
		if c.Name != name {
			continue
		}
		var over sync.WaitGroup
		over.Go(func() { c.Run(r, target) })
		over.Wait()
		for _, f := range r.undo {
			f()
		}
		return r.said
	}
	t.Fatalf("the suite has no case %q", name)
	return ""
}
