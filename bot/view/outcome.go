package view

import (
	"strconv"
	"strings"

	"nightlatch/grants"
)

// outcome says how a grant ended, and by whom.
func (f Frame) outcome(v voice, g grants.Grant) string {
	when := date(g.Ended, "{date_short_pretty} at {time}")
	by := "somebody"
	if g.EndedBy != "" {
		by = f.mention(string(g.EndedBy))
	}
	switch g.Outcome {
	case grants.Refused:
		return "It was not opened."
	case grants.Denied:
		return by + " said no, " + when + "."
	case grants.Lapsed:
		return "Nobody decided in time, so the request lapsed, " + when + "."
	case grants.Withdrawn:
		return v.they + " withdrew the request, " + when + "."
	case grants.Expired:
		return "The time was over, " + when + "."
	case grants.ShiftEnded:
		return capital.Replace(v.their) + " PagerDuty shift ended, " + when + "."
	case grants.OffCall:
		return v.they + " were no longer on call in PagerDuty, " + when + "."
	case grants.PersonGone:
		return capital.Replace(v.their) + " accounts in Slack and PagerDuty no longer allow it, " + when + "."
	case grants.Returned:
		return v.they + " returned it, " + when + "."
	case grants.Revoked:
		return by + " revoked it, " + when + "."
	}
	return "It ended, " + when + "."
}

// evidence says of each credential whether it is proven dead.
func evidence(g grants.Grant, failing grants.Retry) string {
	if g.Opened.IsZero() {
		return ""
	}
	if len(g.Credentials) == 0 {
		return "Nothing was ever revealed, so there was nothing to revoke."
	}
	var lines []string
	for _, c := range g.Credentials {
		name := "The credential"
		if len(g.Credentials) > 1 {
			name = "Credential " + strconv.Itoa(c.Ordinal)
		}
		lines = append(lines, name+" "+finding(c, g.Role.Verify))
	}
	if !failing.Failing.IsZero() {
		lines = append(lines, "Revoking has been failing since "+at(failing.Failing)+" ("+count(failing.Attempts, "attempt")+
			"). It is tried again until it is proven dead.")
	}
	return strings.Join(lines, "\n")
}

// finding says what is known of one credential's death.
func finding(c grants.Credential, v grants.Verify) string {
	proven := " (proven " + at(c.Proven) + ")."
	switch {
	case c.State != grants.Gone && v == grants.Offline:
		return "cannot be cut: it may work until its own expiry, " + at(c.Expires) + "."
	case c.State != grants.Gone:
		return "is being revoked; it is not proven dead yet."
	case c.Evidence == grants.RefusedFinding:
		return "is refused by its target" + proven
	case c.Evidence == grants.AbsentFinding:
		return "is no longer known to its target" + proven
	case c.Evidence == grants.ExpiredFinding:
		return "is past its own expiry" + proven
	}
	return "is gone" + proven
}

// undelivered says which secrets Slack did not confirm.
func undelivered(g grants.Grant) string {
	var lines []string
	for _, c := range g.Credentials {
		if c.Undelivered {
			end := ", so that one was revoked at once."
			if g.Role.Verify == grants.Offline {
				end = ". It cannot be cut, and works until " + at(c.Expires) + "."
			}
			lines = append(lines, "Slack did not confirm that it showed secret "+strconv.Itoa(c.Ordinal)+end)
		}
	}
	return strings.Join(lines, "\n")
}

// speed says how fast a credential can be cut.
func speed(d grants.Description) string {
	switch d.Class {
	case grants.Instant:
		return "It can be cut at any moment and stops working at once."
	case grants.Seconds:
		return "It can be cut at any moment and stops working within seconds."
	case grants.Minutes:
		return "It can be cut at any moment, but may go on working for some minutes."
	case grants.AtExpiry:
		s := "It cannot be cut: once shown, it works until its own expiry"
		if d.Greatest > 0 {
			s += ", up to " + length(d.Greatest) + " after a revocation"
		}
		return s + "."
	}
	return "How fast it can be cut is not known."
}

// runbook is the role's runbook, if it has one.
func runbook(r grants.Role) string {
	if r.Runbook == "" {
		return ""
	}
	return link(r.Runbook, "Runbook")
}

// pieces joins what is not empty, one line each.
func pieces(lines ...string) string {
	var some []string
	for _, l := range lines {
		if l != "" {
			some = append(some, l)
		}
	}
	return strings.Join(some, "\n")
}
