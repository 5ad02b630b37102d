module nightlatch

go 1.26.0

require (
	github.com/PagerDuty/go-pagerduty v1.8.0 // who is on call, asked live
	github.com/chromedp/chromedp v0.23.0 // tests: the playground's page in a real browser
	github.com/dlclark/regexp2 v1.12.0 // tests: Slack's manifest schema needs look-ahead
	github.com/getkin/kin-openapi v0.152.0 // tests: requests and answers against PagerDuty's own document
	github.com/go-viper/mapstructure/v2 v2.4.0 // configuration: strict decoding, errors with keys
	github.com/golang-jwt/jwt/v5 v5.3.1 // RFC 9068 tokens; no dependencies of its own
	github.com/google/go-cmp v0.7.0 // tests: readable differences
	github.com/gorilla/websocket v1.5.3 // the dialer of Socket Mode, and the emulator's other end
	github.com/jackc/pgx/v5 v5.12.0 // PostgreSQL as a target: its protocol, without an ORM
	github.com/rogpeppe/go-internal v1.16.0 // tests: command scripts
	github.com/santhosh-tekuri/jsonschema/v6 v6.0.3 // tests: the Slack manifest against Slack's schema
	github.com/slack-go/slack v0.35.0 // Slack's Web API and Socket Mode; pinned, releases break
	github.com/spf13/cobra v1.10.2 // commands and their help
	github.com/spf13/viper v1.21.0 // configuration file and environment
	go.etcd.io/bbolt v1.5.0 // the ledger's engine on one machine
	go.yaml.in/yaml/v3 v3.0.5 // configuration: the line of each problem
	golang.org/x/mod v0.42.0 // the Merkle log of the ledger (sumdb/tlog)
	golang.org/x/sync v0.24.0 // errgroup: every long-running part under one roof
	golang.org/x/time v0.16.0 // rate limits
)

require (
	github.com/BurntSushi/toml v1.4.1-0.20240526193622-a339e1f7089c // indirect
	github.com/chromedp/cdproto v0.159.0 // indirect
	github.com/fsnotify/fsnotify v1.9.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/go-openapi/jsonpointer v0.22.5 // indirect
	github.com/go-openapi/swag/jsonname v0.25.5 // indirect
	github.com/google/go-querystring v1.1.0 // indirect
	github.com/gorilla/mux v1.8.0 // indirect
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/oasdiff/yaml v0.1.1 // indirect
	github.com/oasdiff/yaml3 v0.0.14 // indirect
	github.com/pelletier/go-toml/v2 v2.2.4 // indirect
	github.com/sagikazarmark/locafero v0.11.0 // indirect
	github.com/sourcegraph/conc v0.3.1-0.20240121214520-5f936abd7ae8 // indirect
	github.com/spf13/afero v1.15.0 // indirect
	github.com/spf13/cast v1.10.0 // indirect
	github.com/spf13/pflag v1.0.10 // indirect
	github.com/subosito/gotenv v1.6.0 // indirect
	golang.org/x/exp/typeparams v0.0.0-20231108232855-2478ac86f678 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.41.0 // indirect
	golang.org/x/tools v0.51.0 // indirect
	honnef.co/go/tools v0.8.2 // indirect
	mvdan.cc/gofumpt v0.12.0 // indirect
)

tool (
	honnef.co/go/tools/cmd/staticcheck
	mvdan.cc/gofumpt
)
