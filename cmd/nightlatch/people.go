package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode"

	"github.com/spf13/cobra"

	"nightlatch/cmd/nightlatch/config"
	"nightlatch/cmd/nightlatch/operator"
	"nightlatch/grants"
)

// bot is how a command finds the running bot.
type bot struct{ config, socket string }

func (b *bot) flags(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVarP(&b.config, "config", "c", "nightlatch.yaml", "the configuration file, which names the socket")
	cmd.PersistentFlags().StringVar(&b.socket, "socket", "", "the running bot's socket; the configuration is not read then")
}

// client asks the bot that a command means.
func (b *bot) client(cmd *cobra.Command) (operator.Client, error) {
	if b.socket != "" {
		return operator.Client{Socket: b.socket}, nil
	}
	loaded, err := load(cmd.ErrOrStderr(), config.File{Path: b.config, Env: os.LookupEnv, WithoutSecrets: true})
	return operator.Client{Socket: loaded.Config.Operator.Socket}, err
}

func newPeople() *cobra.Command {
	var b bot
	cmd := &cobra.Command{
		Use:   "people",
		Short: "list, approve and freeze the people of the directory",
		Long: `People asks the running bot on this machine, by its socket (operator.socket in the
configuration). Whoever may open the socket may list. To approve and to freeze, the
configuration must say who you are (operator.people), and that person must be one of
security.people. Both are recorded, and so is a refusal.

PERSON is a Slack user ID or an e-mail address, as people list shows them.`,
		Example: `  nightlatch people list
  nightlatch people freeze U0123ABCD lost their laptop
  nightlatch people approve U0123ABCD`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	b.flags(cmd)
	cmd.AddCommand(newPeopleList(&b), newPeopleApprove(&b), newPeopleFreeze(&b))
	return cmd
}

func newPeopleList(b *bot) *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "show everybody: accounts, standing, and who is frozen and why",
		Long: `List prints one line for each person of the directory: Slack user ID, name, e-mail
address, PagerDuty user ID, standing, since when this pair of accounts is known, and
why they are frozen, if they are. Those who are frozen come first.`,
		Example: `  nightlatch people list
  nightlatch people list --config /etc/nightlatch/nightlatch.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			client, err := b.client(cmd)
			if err != nil {
				return err
			}
			people, err := client.People(cmd.Context())
			if err != nil {
				return err
			}
			return listPeople(cmd.OutOrStdout(), people)
		},
	}
}

func newPeopleApprove(b *bot) *cobra.Command {
	return &cobra.Command{
		Use:   "approve PERSON",
		Short: "say that a frozen person's accounts are theirs",
		Long: `Approve ends the freezing of a person. If their PagerDuty user changed, the new one
counts from now on, and its shifts are theirs: ask them first, by a way that does not
go by these accounts. Nobody approves themselves.`,
		Example: `  nightlatch people approve U0123ABCD
  nightlatch people approve ada@example.com`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("approve takes one person, a Slack user ID or an e-mail address")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return b.person(cmd, func(ctx context.Context, c operator.Client) (grants.Person, error) { return c.Approve(ctx, args[0]) })
		},
	}
}

func newPeopleFreeze(b *bot) *cobra.Command {
	return &cobra.Command{
		Use:   "freeze PERSON WHY",
		Short: "let nothing open by itself for a person any more",
		Long: `Freeze ends what opened by itself for a person, and lets nothing more open for them
without a human's vote, until somebody else of security approves them. Why is told to
the security channel; write no secret there.`,
		Example: `  nightlatch people freeze U0123ABCD lost their laptop
  nightlatch people freeze ada@example.com left the company`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) < 2 {
				return usageError{errors.New("freeze takes a person and why, in words")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			why := strings.Join(args[1:], " ")
			return b.person(cmd, func(ctx context.Context, c operator.Client) (grants.Person, error) {
				return c.Freeze(ctx, args[0], why)
			})
		},
	}
}

// person does something with a person, and shows how they stand then.
func (b *bot) person(cmd *cobra.Command, do func(context.Context, operator.Client) (grants.Person, error)) error {
	client, err := b.client(cmd)
	if err != nil {
		return err
	}
	p, err := do(cmd.Context(), client)
	if err != nil {
		return err
	}
	return listPeople(cmd.OutOrStdout(), []grants.Person{p})
}

func noCommand(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s has no command %q", cmd.Name(), args[0])}
	}
	return nil
}

// listPeople prints a line for each person, the frozen ones first.
func listPeople(w io.Writer, people []grants.Person) error {
	slices.SortStableFunc(people, func(a, b grants.Person) int {
		switch {
		case a.Frozen != "" && b.Frozen == "":
			return -1
		case a.Frozen == "" && b.Frozen != "":
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
	rows := [][]string{{"SLACK", "NAME", "E-MAIL", "PAGERDUTY", "STANDING", "SINCE", "FROZEN"}}
	for _, p := range people {
		pager := orNone(p.PagerDuty)
		if p.Found != "" {
			pager += " (now " + p.Found + ")"
		}
		since := "the beginning"
		if !p.Pinned.IsZero() {
			since = p.Pinned.UTC().Format(minutes)
		}
		rows = append(rows, []string{p.Key.Slack(), p.Name, orNone(p.Email), pager, string(p.Standing), since, orNo(p.Frozen)})
	}
	return table(w, rows)
}

// minutes is how times are printed.
const minutes = "2006-01-02 15:04Z"

// table prints rows below each other. What others wrote does nothing to the terminal.
func table(w io.Writer, rows [][]string) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		for i, cell := range row {
			row[i] = printable(cell)
		}
		if _, err := fmt.Fprintln(out, strings.Join(row, "\t")); err != nil {
			return err
		}
	}
	return out.Flush()
}

// printable is a text without anything that a terminal would obey.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func orNo(s string) string {
	if s == "" {
		return "no"
	}
	return s
}
