package postgres

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// The answers that a caller may want to tell apart.
var (
	// ErrForeign says that a name is none that this installation gives.
	ErrForeign = errors.New("not a name of this installation")
	// ErrEnded says that a credential was revoked or has expired, and cannot be had under its name again.
	ErrEnded = errors.New("the credential has ended")
	// ErrSessions says that sessions of a credential did not end in time.
	ErrSessions = errors.New("sessions go on")
	// ErrPrepared says that a credential left prepared transactions, which only a superuser can end now.
	ErrPrepared = errors.New("prepared transactions are left")
)

// SQLSTATEs.
const (
	duplicateObject  = "42710"
	undefinedObject  = "42704"
	uniqueViolation  = "23505"
	dependentObjects = "2BP01"
	undefinedDB      = "3D000"
	internalError    = "XX000" // "tuple concurrently updated" has no code of its own
)

// refusal is what the server said, in one line, without the statement.
type refusal struct{ code, text string }

func (r *refusal) Error() string { return fmt.Sprintf("%s (SQLSTATE %s)", r.text, r.code) }

// is reports whether an error is one of the server's with one of these codes.
func is(err error, codes ...string) bool {
	r, ok := errors.AsType[*refusal](err)
	return ok && slices.Contains(codes, r.code)
}

// again reports whether another try may end better: somebody else did the same, or made something meanwhile.
func again(err error) bool {
	return is(err, undefinedObject, uniqueViolation, dependentObjects, undefinedDB, internalError) || errors.Is(err, errGhost)
}

// verifiers are what no error may hold, should the server ever quote a statement.
var verifiers = regexp.MustCompile(`SCRAM-SHA-256[^ '"]*`)

// clean makes an error that can be logged. Nothing of the driver's own error stays in it but its text, without what is secret; the
// end of the context is told by its own error.
func (i *Issuer) clean(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	text, code := err.Error(), ""
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		code, text = pg.Code, pg.Message
		if code == dependentObjects {
			text += ": " + pg.Detail // which names the objects
		}
	}
	text = strings.Join(strings.Fields(verifiers.ReplaceAllString(text, "[redacted]")), " ")
	if p := i.config.Password.Expose(); p != "" {
		text = strings.ReplaceAll(text, p, "[redacted]")
	}
	switch {
	case code != "":
		return &refusal{code, text}
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %s", context.DeadlineExceeded, text)
	}
	return errors.New(text)
}
