// Command nightlatch gives whoever is on call exactly the credential that the incident
// needs, inside Slack, and takes it back when the shift ends.
//
// It exits with 0 when it was told to stop and did, with 3 when the ledger does not know
// whether its last commit happened (start it again: it recovers from disk), and with 1
// after any other failure.
package main

import (
	"context"
	"os"
)

func main() {
	os.Exit(Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
}
