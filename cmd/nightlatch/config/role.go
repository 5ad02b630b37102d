package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"nightlatch/grants"
	"nightlatch/integrations/postgres"
	"nightlatch/integrations/token"
)

// maxDuration is the longest grant that a role may give: a night latch closes by itself.
const maxDuration = 24 * time.Hour

func (c Config) checkRoles(k *checker) {
	if len(c.Roles) == 0 {
		k.problem("roles", "is missing: nobody could ask for anything")
	}
	first := map[string]int{}
	for i, r := range c.Roles {
		key := fmt.Sprintf("roles[%d]", i)
		if before, again := first[r.Name]; again {
			k.problem(key+".name", "%q is already the name of roles[%d]", r.Name, before)
		} else {
			first[r.Name] = i
		}
		k.role(key, r)
		c.checkIssuer(k, key, r)
	}
}

// role checks one role by itself.
func (c *checker) role(key string, r grants.Role) {
	if !word.MatchString(r.Name) {
		c.problem(key+".name", "must be one lower-case word of at most 40 letters, digits and dashes: people type it")
	}
	switch r.Name {
	case "people":
		c.problem(key+".name", "is a command of security, /access people; take another word")
	case "extend":
		c.problem(key+".name", "is a command, /access extend; take another word")
	}
	if r.Runbook != "" {
		c.among(key+".runbook", link(r.Runbook))
	}
	for i, s := range r.OnCall {
		c.source(fmt.Sprintf("%s.on_call[%d]", key, i), s)
	}
	c.voters(key+".voters", r.Voters)
	c.voters(key+".off_call", r.OffCall)
	c.reach(key, r)
	if r.Channel != "" && !slackChannel.MatchString(r.Channel) {
		c.problem(key+".channel", "%q is no channel ID, which begins with C or G", r.Channel)
	}
	c.durations(key, r)
}

// checkIssuer checks what a role gives, which only its issuer understands.
func (c Config) checkIssuer(k *checker, key string, r grants.Role) {
	if r.Issuer == issuerToken {
		k.token(key, r)
		return
	}
	target, there := c.target(r.Issuer)
	if !there {
		names := []string{strconv.Quote(issuerToken)}
		for _, p := range c.Postgres {
			names = append(names, strconv.Quote(p.Name))
		}
		k.problem(key+".issuer", "%q does not exist; there is %s", r.Issuer, strings.Join(names, ", "))
		return
	}
	if r.Audience != "" {
		k.problem(key+".audience", "is of tokens; %q says by itself where its logins are for, so leave it out", r.Issuer)
	}
	if r.Verify != grants.Introspect {
		k.problem(key+".verify", "is of tokens; leave it out")
	}
	k.among(key+".scopes", postgres.ScopesRule(r.Scopes, target.Templates))
}

// token checks a role of our own tokens.
func (c *checker) token(key string, r grants.Role) {
	switch r.Verify {
	case grants.Introspect:
	case grants.Offline:
		c.warn(key+".verify", "is offline: nobody can cut a token of %s, which works up to 10 minutes after the grant is over", r.Name)
	default:
		c.problem(key+".verify", "is %q, and must be introspect or offline", r.Verify)
	}
	if r.Audience == "" {
		c.problem(key+".audience", "is missing; name the one service that the tokens are for")
		c.among(key+".scopes", token.ValidateScopes(r.Scopes))
	} else {
		c.among(key+".scopes", token.ValidateRole(r.Audience, r.Scopes))
	}
	if len(r.Scopes) == 0 {
		c.problem(key+".scopes", "is missing; say what the tokens may do")
	}
}

// reach checks that somebody can get the role, and says how little it may take.
func (c *checker) reach(key string, r grants.Role) {
	onCall, automatic := len(r.OnCall) > 0, r.Automatic == grants.WhenOnCall
	switch {
	case !automatic && r.Automatic != grants.Never:
		c.problem(key+".automatic", "is %q, and must be never or on_call", r.Automatic)
	case automatic && !onCall:
		c.problem(key+".on_call", "is missing; a role that is automatic says who must be on call")
	case !automatic && !r.Voters.Any() && !r.OffCall.Any():
		c.problem(key, "can never be given to anybody: it is not automatic, and nobody votes; set automatic, voters or off_call")
	case !onCall && !r.OffCall.Any():
		c.problem(key, "can never be given to anybody: voters are for people who are on call, and on_call is missing; set on_call or off_call")
	case !onCall && r.Voters.Any():
		c.warn(key+".voters", "are never asked: they are for people who are on call, and on_call is missing")
	}
	if automatic && onCall {
		c.warn(key+".automatic", "%s is automatic on Slack alone: a stolen Slack session of whoever is on call opens it", r.Name)
	}
	if r.Channel == "" && (r.Voters.Any() || r.OffCall.Any()) {
		c.problem(key+".channel", "is missing; the voters need a channel in which they are asked")
	}
}

func (c *checker) durations(key string, r grants.Role) {
	if r.Max == 0 {
		c.problem(key+".max", "is missing; say how long a grant may last at most")
	} else {
		c.within(key+".max", r.Max, time.Second, maxDuration)
	}
	switch {
	case r.Default < 0:
		c.problem(key+".default", "is %s, and must be more than 0", short(r.Default))
	case r.Default > r.Max && r.Max > 0:
		c.problem(key+".default", "is %s, more than max, which is %s", short(r.Default), short(r.Max))
	}
	c.within(key+".pending_for", r.PendingFor, time.Second, maxDuration)
}

// source checks one line of what PagerDuty is asked.
func (c *checker) source(key string, s grants.Source) {
	switch {
	case (s.Policy == "") == (s.Schedule == ""):
		c.problem(key, "must have either policy or schedule")
	case s.Schedule != "" && !pagerDutyID.MatchString(s.Schedule):
		c.problem(key+".schedule", "%q is no PagerDuty ID, such as PABC123", s.Schedule)
	case s.Policy != "" && !pagerDutyID.MatchString(s.Policy):
		c.problem(key+".policy", "%q is no PagerDuty ID, such as PABC123", s.Policy)
	}
	if s.Schedule != "" && len(s.Levels) > 0 {
		c.problem(key+".levels", "are a policy's; a schedule has none")
	}
	c.levels(key+".levels", s.Levels)
}

func (c *checker) levels(key string, levels []int) {
	for i, level := range levels {
		if level < 1 {
			c.problem(fmt.Sprintf("%s[%d]", key, i), "is %d; the first level is 1", level)
		}
	}
}

// voters checks that as many people can say yes as must.
func (c *checker) voters(key string, v grants.Voters) {
	for i, user := range v.Users {
		if !slackUser.MatchString(user) {
			c.problem(fmt.Sprintf("%s.users[%d]", key, i), "%q is no Slack user ID, which begins with U or W", user)
		}
	}
	if twice(v.Users) {
		c.problem(key+".users", "lists somebody twice, and one human has one vote")
	}
	if v.Usergroup != "" && !slackGroup.MatchString(v.Usergroup) {
		c.problem(key+".usergroup", "%q is no Slack user group ID, which begins with S", v.Usergroup)
	}
	if v.Policy != "" && !pagerDutyID.MatchString(v.Policy) {
		c.problem(key+".policy", "%q is no PagerDuty ID, such as PABC123", v.Policy)
	}
	if v.Policy == "" && len(v.Levels) > 0 {
		c.problem(key+".levels", "are of a policy, which is missing")
	}
	c.levels(key+".levels", v.Levels)
	open := v.Usergroup != "" || v.Policy != "" // whose members can't be counted here
	listed := open || len(v.Users) > 0
	switch {
	case v.Count < 0:
		c.problem(key+".count", "is %d, and must be at least 1, or 0 for nobody", v.Count)
	case v.Count > 0 && !listed:
		c.problem(key+".count", "is %d, and nobody is listed; add users, usergroup or policy", v.Count)
	case !open && v.Count > len(v.Users):
		c.problem(key+".count", "is %d, and users lists only %d", v.Count, len(v.Users))
	case v.Count == 0 && listed:
		c.warn(key+".count", "is 0: these people may revoke, and can't say yes")
	}
}
