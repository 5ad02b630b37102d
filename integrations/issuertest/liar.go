package issuertest

import (
	"context"

	"nightlatch/grants/service"
)

// Liar is an issuer that answers "revoked" and leaves every credential as it is. Whoever
// believes it closes a grant over a credential that works.
type Liar struct{ service.Issuer }

// Revoke does nothing, and calls it done.
func (Liar) Revoke(context.Context, string) error { return nil }
