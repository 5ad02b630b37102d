package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"nightlatch/cmd/nightlatch/config"
	"nightlatch/cmd/nightlatch/inspect"
	"nightlatch/cmd/nightlatch/life"
	"nightlatch/cmd/nightlatch/sdnotify"
	"nightlatch/cmd/nightlatch/wiring"
)

// patience is how long a stop may take.
const patience = 5 * time.Second

// Main runs a command line and returns the process's exit code.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	fmt.Fprintf(stderr, "nightlatch: %v\nhint: %s\n", err, HintFor(err))
	return ExitCode(err)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "nightlatch",
		Short: "on-call access that closes by itself",
		Long: `Nightlatch gives whoever is on call exactly the credential that the incident
needs, inside Slack, and takes it back when the shift ends.`,
		Example: `  nightlatch check --config nightlatch.yaml
  nightlatch serve --config nightlatch.yaml`,
		SilenceErrors: true, // Main tells them, with a hint
		SilenceUsage:  true,
		Version:       version(),
		// It has no flags but those that every command has.
		DisableFlagsInUseLine: true,
		CompletionOptions:     cobra.CompletionOptions{DisableDefaultCmd: true},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate("nightlatch {{.Version}}\n")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(newServe(), newCheck(), newPeople(), newGrants(), newRevoke(), newVersion())
	return root
}

func newServe() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "run the bot until it is told to stop",
		Long: `Serve connects to Slack and PagerDuty, answers /access, and revokes what is over.
It refuses to start while the configuration has a problem. SIGTERM or an interrupt
stops it within five seconds; a second one stops it at once. SIGHUP reads the roles of
the configuration again; a configuration with a problem, or with another change, is not
loaded, and the log says why.

The secrets are read from NIGHTLATCH_SLACK_APP_TOKEN, NIGHTLATCH_SLACK_BOT_TOKEN and
NIGHTLATCH_PAGERDUTY_KEY, or from the files named by the same names with _FILE.`,
		Example: `  export NIGHTLATCH_SLACK_APP_TOKEN_FILE=/run/secrets/slack-app
  export NIGHTLATCH_SLACK_BOT_TOKEN_FILE=/run/secrets/slack-bot
  export NIGHTLATCH_PAGERDUTY_KEY_FILE=/run/secrets/pagerduty
  nightlatch serve --config nightlatch.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := life.ForbidDumps(); err != nil {
				return err
			}
			loaded, err := load(cmd.ErrOrStderr(), config.File{Path: path, Env: os.LookupEnv})
			if err != nil {
				return err
			}
			manager, err := sdnotify.FromEnv(os.LookupEnv, os.Getpid())
			if err != nil {
				return err
			}
			log := NewLog(loaded.Config.Log, cmd.ErrOrStderr())
			for _, w := range loaded.Warnings {
				log.Warn("the configuration allows what has a price", "key", w.Key, "line", w.Line, "what", w.Text)
			}
			reloads, stop := onHangup(config.File{Path: path, Env: os.LookupEnv}, log)
			defer stop()
			signals := make(chan os.Signal, 2)
			signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
			defer signal.Stop(signals)
			return life.UntilTold(cmd.Context(), signals, patience, func(ctx context.Context) error {
				return wiring.Serve(ctx, loaded, wiring.Wires{Manager: manager, Reloads: reloads}, log)
			})
		},
	}
	configFlag(cmd, &path)
	return cmd
}

func newCheck() *cobra.Command {
	var (
		path                 string
		withoutSecrets, live bool
	)
	cmd := &cobra.Command{
		Use:   "check",
		Short: "name every problem of a configuration",
		Long: `Check reads the configuration and the secrets as serve would, and prints every
problem at once, with its line and key. Warnings name what is allowed and has a
price. Nothing is connected to and nothing is written.

With --live it then asks Slack, PagerDuty and this machine whether what is named there
exists and works, and prints a line for each thing: ok, note, problem, or unknown where
it could not be asked. It may run beside a running bot, and changes nothing.`,
		Example: `  nightlatch check --config nightlatch.yaml
  nightlatch check --config nightlatch.yaml --without-secrets
  nightlatch check --config nightlatch.yaml --live`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if live && withoutSecrets {
				return usageError{errors.New("--live needs the secrets, so --without-secrets does not go with it")}
			}
			file := config.File{Path: path, Env: os.LookupEnv, WithoutSecrets: withoutSecrets}
			loaded, err := load(cmd.ErrOrStderr(), file)
			if err != nil {
				return err
			}
			cfg := loaded.Config
			for _, w := range loaded.Warnings {
				fmt.Fprintln(cmd.ErrOrStderr(), line(path, "warning: ", w))
			}
			digest, err := cfg.Digest()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "ok: %d roles, environment %s, %d warnings, digest %.12s\n",
				len(cfg.Roles), cfg.Environment, len(loaded.Warnings), digest)
			if err != nil || !live {
				return err
			}
			found, err := wiring.Inspect(cmd.Context(), loaded, wiring.Wires{})
			if err != nil {
				return err
			}
			return printFindings(cmd.OutOrStdout(), path, loaded, found)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&live, "live", false, "also ask Slack, PagerDuty and this machine")
	cmd.Flags().BoolVar(&withoutSecrets, "without-secrets", false, "do not look for the secrets, for a review where they are not at hand")
	return cmd
}

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "print the version",
		Long:    `Version prints the version, the revision that it was built from, and Go's version.`,
		Example: `  nightlatch version`,
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "nightlatch %s\n", version())
			return err
		},
	}
}

// version says which program this is.
func version() string {
	version, revision, goVersion := "unknown", "unknown", "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version, goVersion = info.Main.Version, info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				revision = s.Value
			}
		}
	}
	return fmt.Sprintf("%s, revision %s, %s", version, revision, goVersion)
}

// NewLog returns the log of the configuration. An error of several is on one line, which somebody reads at night.
func NewLog(c config.Log, w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: c.Level, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if err, ok := a.Value.Any().(error); ok {
			a.Value = slog.StringValue(strings.ReplaceAll(err.Error(), "\n", "; "))
		}
		return a
	}}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "nightlatch.yaml", "the configuration file")
}

func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no argument, and was given %q", cmd.Name(), args[0])}
	}
	return nil
}

// load reads the configuration and prints each of its problems.
func load(stderr io.Writer, file config.File) (config.Loaded, error) {
	loaded, err := config.Load(file)
	if problems, ok := errors.AsType[config.Problems](err); ok {
		for _, p := range problems.List {
			fmt.Fprintln(stderr, line(file.Path, "", p))
		}
	}
	if _, problem := errors.AsType[config.Problems](err); err != nil && !problem {
		err = unreadError{err}
	}
	return loaded, err
}

// printFindings prints a line for each thing that was looked at. Its error counts the bad ones.
func printFindings(w io.Writer, path string, loaded config.Loaded, found []inspect.Finding) error {
	bad := 0
	for _, f := range found {
		text := fmt.Sprintf("%s: %s: %s", f.Kind, f.Key, f.Text)
		if f.Bad() {
			bad++
		}
		if at := loaded.Line(f.Key); at > 0 && f.Kind != inspect.OK {
			text = fmt.Sprintf("%s:%d: %s", path, at, text)
		}
		if _, err := fmt.Fprintln(w, text); err != nil {
			return err
		}
	}
	if bad > 0 {
		return inspect.Problems{Count: bad}
	}
	return nil
}

// line is a problem as editors understand it: file, line, what.
func line(path, kind string, p config.Problem) string {
	switch {
	case p.InEnvironment():
		return fmt.Sprintf("environment: %s%v", kind, p)
	case p.Line == 0:
		return fmt.Sprintf("%s: %s%v", path, kind, p)
	}
	return fmt.Sprintf("%s:%d: %s%v", path, p.Line, kind, p)
}
