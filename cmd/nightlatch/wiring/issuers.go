package wiring

import (
	"fmt"

	"nightlatch/cmd/nightlatch/config"
	"nightlatch/grants/service"
	"nightlatch/integrations/postgres"
	"nightlatch/integrations/token"
)

// makeIssuers makes every issuer by the name that roles use. None connects to its target
// yet: one that is down must not hold up the start.
func makeIssuers(cfg config.Config, secrets config.Secrets, keys token.Keys, instance string) (map[string]service.Issuer, error) {
	tokens, err := token.New(token.Config{Keys: keys, URL: cfg.HTTP.URL, ClientID: cfg.Token.ClientID, Skew: cfg.Token.Skew})
	if err != nil {
		return nil, fmt.Errorf("making the token issuer: %w", err)
	}
	all, err := makeTargets(cfg, secrets, instance)
	if err != nil {
		return nil, err
	}
	all["token"] = tokens
	return all, nil
}

// makeTargets makes the issuers whose targets are not this program.
func makeTargets(cfg config.Config, secrets config.Secrets, instance string) (map[string]service.Issuer, error) {
	all := map[string]service.Issuer{}
	for _, target := range cfg.Postgres {
		issuer, err := postgres.New(target.Target(instance, secrets.Postgres[target.Name]))
		if err != nil {
			return nil, fmt.Errorf("making the issuer %s: %w", target.Name, err)
		}
		all[target.Name] = issuer
	}
	return all, nil
}
