package config

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// fromExample finds what config.example.yaml has only to show its shape: IDs that count up, hosts that belong to nobody
// (RFC 2606), the hash of no secret.
var fromExample = regexp.MustCompile(`^([CSTU]0123ABCD|U0456EFGH|[CU]012345678\d|PABC123|PSCHED1|0{64})$|^(https?://)?([a-z0-9-]+\.)*example\.com([:/]|$)`)

// untouched warns of each value that is still the example's, once.
func untouched(file *yaml.Node) (warnings []Problem) {
	told := map[string]bool{}
	eachScalar(file, "", func(key string, node *yaml.Node) {
		if told[node.Value] || !fromExample.MatchString(node.Value) {
			return
		}
		told[node.Value] = true
		shown := node.Value
		if strings.HasSuffix(key, ".sha256") {
			shown = shown[:4] + "…"
		}
		warnings = append(warnings, Problem{Key: key, Line: node.Line, Text: fmt.Sprintf("is %q, as in config.example.yaml; write what is yours", shown)})
	})
	return warnings
}

// eachScalar visits every value with its key.
func eachScalar(node *yaml.Node, key string, visit func(key string, node *yaml.Node)) {
	switch node.Kind {
	case yaml.DocumentNode:
		for _, inner := range node.Content {
			eachScalar(inner, key, visit)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(node.Content); i += 2 {
			eachScalar(node.Content[i+1], join(key, node.Content[i].Value), visit)
		}
	case yaml.SequenceNode:
		for i, inner := range node.Content {
			eachScalar(inner, fmt.Sprintf("%s[%d]", key, i), visit)
		}
	case yaml.ScalarNode:
		visit(key, node)
	}
}
