package main_test

import (
	"context"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	nightlatch "nightlatch/cmd/nightlatch"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"nightlatch": func() { os.Exit(nightlatch.Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// TestScripts pins what the commands print, by the scripts in testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"NIGHTLATCH_SLACK_APP_TOKEN", "NIGHTLATCH_SLACK_BOT_TOKEN", "NIGHTLATCH_PAGERDUTY_KEY"} {
				if _, set := os.LookupEnv(name); set {
					t.Errorf("%s is set where tests run", name)
				}
			}
			example, err := os.ReadFile("../../config.example.yaml")
			if err != nil {
				return err
			}
			return os.WriteFile(env.Getenv("WORK")+"/config.example.yaml", example, 0o600)
		},
	})
}
