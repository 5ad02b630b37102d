package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nightlatch/cmd/nightlatch/operator"
	"nightlatch/grants"
)

func newGrants() *cobra.Command {
	var b bot
	cmd := &cobra.Command{
		Use:   "grants",
		Short: "list what is asked for, open, closing and failing",
		Long: `Grants asks the running bot on this machine, by its socket (operator.socket in the
configuration), and prints one line for each request and grant that is not over.
Whoever may open the socket may do it. Nothing can be opened or voted on from here.`,
		Example: `  nightlatch grants
  nightlatch grants show 06rkz1v8xw0000000000000000`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := b.client(cmd)
			if err != nil {
				return err
			}
			all, err := client.Grants(cmd.Context())
			if err != nil {
				return err
			}
			return listGrants(cmd.OutOrStdout(), all)
		},
	}
	b.flags(cmd)
	cmd.AddCommand(&cobra.Command{
		Use:     "show GRANT",
		Short:   "show one request or grant, over or not",
		Long:    `Show prints what is known of one request or grant: who, what, why, until when, its votes and its credentials.`,
		Example: `  nightlatch grants show 06rkz1v8xw0000000000000000`,
		Args:    oneGrant,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := b.client(cmd)
			if err != nil {
				return err
			}
			h, err := client.Grant(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return showGrant(cmd.OutOrStdout(), h)
		},
	})
	return cmd
}

func newRevoke() *cobra.Command {
	var b bot
	cmd := &cobra.Command{
		Use:   "revoke GRANT",
		Short: "take an open grant back",
		Long: `Revoke ends an open grant now, as its card in Slack does. The configuration must say
who you are (operator.people), and that person must be one who votes on its role. It is
recorded, and so is a refusal.`,
		Example: `  nightlatch revoke 06rkz1v8xw0000000000000000`,
		Args:    oneGrant,
		RunE: func(cmd *cobra.Command, args []string) error {
			client, err := b.client(cmd)
			if err != nil {
				return err
			}
			h, err := client.Revoke(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return listGrants(cmd.OutOrStdout(), []operator.Held{h})
		},
	}
	b.flags(cmd)
	return cmd
}

func oneGrant(cmd *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{errors.New(cmd.Name() + " takes one grant's ID, as nightlatch grants shows them")}
	}
	return nil
}

// listGrants prints a line for each request and grant.
func listGrants(w io.Writer, all []operator.Held) error {
	rows := [][]string{{"GRANT", "STATE", "ROLE", "PERSON", "ENDS", "FAILING"}}
	for _, h := range all {
		g := h.Grant
		rows = append(rows, []string{g.ID, string(g.State), g.Role.Name, nameOf(h), ends(g), failing(h.Failing)})
	}
	return table(w, rows)
}

// showGrant prints one request or grant, a line for each thing that is known.
func showGrant(w io.Writer, h operator.Held) error {
	g := h.Grant
	rows := [][]string{
		{"grant", g.ID},
		{"state", strings.TrimSpace(string(g.State) + " " + string(g.Outcome))},
		{"role", g.Role.Name},
		{"person", nameOf(h)},
		{"reason", orNone(h.Reason)},
		{"asked", g.Asked.UTC().Format(minutes) + " for " + g.Duration.String()},
	}
	add := func(name string, at time.Time, more string) {
		if !at.IsZero() {
			rows = append(rows, []string{name, strings.TrimSpace(at.UTC().Format(minutes) + " " + more)})
		}
	}
	add("opened", g.Opened, string(g.Basis))
	votes := func(votes []grants.Vote) {
		for _, v := range votes {
			word := "no"
			if v.Yes {
				word = "yes"
			}
			add("vote", v.At, word+" of "+v.Person.Slack())
		}
	}
	votes(g.Votes)
	for _, x := range g.Extensions {
		add("extension", x.At, strings.TrimSpace(fmt.Sprintf("by %s, %s %s", x.By, x.State, x.Outcome)))
		votes(x.Votes)
	}
	rows = append(rows, []string{"ends", ends(g)})
	add("ended", g.Ended, strings.TrimSpace("by "+orNone(g.EndedBy.Slack())+" "+h.Why))
	for _, c := range g.Credentials {
		rows = append(rows, []string{"credential", strings.TrimSpace(fmt.Sprintf("%d %s %s", c.Ordinal, c.State, c.Evidence))})
	}
	rows = append(rows, []string{"failing", failing(h.Failing)})
	return table(w, rows)
}

// nameOf is a grant's person, by name and Slack user ID.
func nameOf(h operator.Held) string {
	return strings.TrimSpace(h.Name + " " + h.Grant.Person.Slack())
}

// ends is when time alone brings a grant on.
func ends(g grants.Grant) string {
	at := g.Ends
	if g.State == grants.Pending {
		at = g.PendingUntil
	}
	if at.IsZero() {
		return "-"
	}
	return at.UTC().Format(minutes)
}

// failing says since when a target does not revoke.
func failing(r grants.Retry) string {
	if r.Failing.IsZero() {
		return "no"
	}
	return fmt.Sprintf("since %s, %d attempts: %s", r.Failing.UTC().Format(minutes), r.Attempts, r.Error)
}
