package postgres

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
)

// The parameters of a verifier, which are the server's own defaults. More rounds would slow down every login, and a
// password of 128 random bits needs none.
const (
	scramRounds = 4096
	scramSalt   = 16 // bytes
)

// newPassword makes a password of at least 128 random bits, in letters and digits that need no escaping anywhere.
func newPassword() string { return rand.Text() }

// verifier is what the server keeps of a password (RFC 5803, in PostgreSQL's spelling): enough to check it, and too little
// to log in with. SASLprep leaves ASCII letters and digits as they are.
func verifier(password string) (string, error) {
	salt := make([]byte, scramSalt)
	_, _ = rand.Read(salt) // never fails
	salted, err := pbkdf2.Key(sha256.New, password, salt, scramRounds, sha256.Size)
	if err != nil {
		return "", fmt.Errorf("deriving a verifier: %w", err)
	}
	client := sha256.Sum256(mac(salted, "Client Key"))
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("SCRAM-SHA-256$%d:%s$%s:%s", scramRounds, b64(salt), b64(client[:]), b64(mac(salted, "Server Key"))), nil
}

func mac(key []byte, message string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(message))
	return h.Sum(nil)
}
