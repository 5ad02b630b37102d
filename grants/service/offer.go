package service

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file is what may be asked for: the roles of the configuration as it was loaded last. A grant
// keeps the role that it was asked for, so a new offer changes no grant.

// offer is never changed, only replaced.
type offer struct {
	roles   []grants.Role
	sources []grants.Source
	digest  string // of the configuration
}

// docOffer holds what was offered last: role → digest.
const (
	docOffer = "offer"
	keyOffer = "roles"
)

// offering makes an offer of roles, unless one needs an issuer that this process does not have.
func (s *Service) offering(roles []grants.Role, digest string) (*offer, error) {
	for _, r := range roles {
		if _, ok := s.Issuers[r.Issuer]; !ok {
			return nil, fmt.Errorf("role %s: the issuer %q is not configured", r.Name, r.Issuer)
		}
	}
	return &offer{roles: roles, sources: sourcesOf(roles), digest: digest}, nil
}

// Reload offers other roles from now on, under the digest of the configuration that names them. It
// is an event, and security is told which roles changed. Requests and grants that exist keep theirs.
func (s *Service) Reload(ctx context.Context, roles []grants.Role, digest string) error {
	next, err := s.offering(roles, digest)
	if err != nil {
		return err
	}
	now := s.now()
	_, err = s.update(ctx, "", func(v *ledger.View, _ grants.Grant, _ due) (step, error) {
		e := bySystem(grants.KindLoaded, "load", now)
		e.Config = digest
		docs, err := offered(v, next, &e)
		return step{docs: docs, events: []grants.Event{e}}, err
	})
	if err != nil {
		return fmt.Errorf("recording the roles that were loaded: %w", err)
	}
	s.offer.Store(next)
	kick(s.readKick) // their shifts and groups
	kick(s.newsKick)
	return nil
}

// offered keeps what is offered, and what security is told of it. The event says it too.
func offered(v *ledger.View, next *offer, e *grants.Event) ([]ledger.Doc, error) {
	was, is := map[string]string{}, map[string]string{}
	stored, before := v.Get(docOffer, keyOffer)
	if before {
		if err := json.Unmarshal(stored, &was); err != nil {
			return nil, fmt.Errorf("reading which roles were offered: %w", err)
		}
	}
	for _, r := range next.roles {
		b, err := grants.Encode(r)
		if err != nil {
			return nil, fmt.Errorf("encoding role %s: %w", r.Name, err)
		}
		is[r.Name] = grants.Digest(b)
	}
	b, err := grants.Encode(is)
	if err != nil {
		return nil, fmt.Errorf("encoding which roles are offered: %w", err)
	}
	docs := []ledger.Doc{{Kind: docOffer, Key: keyOffer, Value: b}}
	change := moved(was, is)
	if !before || change == "" {
		return docs, nil
	}
	e.Detail = change
	notice, err := Announcement{At: e.At, News: grants.RolesMoved, Detail: change}.doc()
	return append(docs, notice), err
}

// moved says which roles are new, changed and gone.
func moved(was, is map[string]string) string {
	var fresh, changed, gone []string
	for name, digest := range is {
		switch old, ok := was[name]; {
		case !ok:
			fresh = append(fresh, name)
		case old != digest:
			changed = append(changed, name)
		}
	}
	for name := range was {
		if _, ok := is[name]; !ok {
			gone = append(gone, name)
		}
	}
	var parts []string
	for _, p := range []struct {
		what  string
		names []string
	}{{"new", fresh}, {"changed", changed}, {"gone", gone}} {
		if len(p.names) > 0 {
			slices.Sort(p.names)
			parts = append(parts, p.what+": "+strings.Join(p.names, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// offers reports whether a role is offered just as it is.
func (s *Service) offers(role grants.Role) bool {
	return slices.ContainsFunc(s.offer.Load().roles, func(r grants.Role) bool { return r.Name == role.Name && reflect.DeepEqual(r, role) })
}
