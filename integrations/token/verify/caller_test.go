package verify_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nightlatch/integrations/token/verify"
)

// TestAWrongSecretIsNoOutage: whoever made the mistake reads what it is, and nobody is told to try again.
func TestAWrongSecretIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBubbleRig(t, func(c *verify.Config) { c.Secret = "another" })
		raw := r.issue(t, order())
		for range 3 {
			w := r.call(request("GET", "/v1/orders/4711", raw))
			if w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "its operator has to correct that") ||
				w.Header().Get("Retry-After") != "" || w.Header().Get("WWW-Authenticate") != "" {
				t.Fatalf("answered %d %v %s", w.Code, w.Header(), w.Body)
			}
			time.Sleep(2 * time.Second)
		}
		log := r.log.String()
		if strings.Count(log, "refuses this service: compare Caller and Secret") != 1 || !strings.Contains(log, `"caller":"orders-api"`) {
			t.Errorf("the log does not say once what is wrong:\n%s", log)
		}
		if strings.Contains(log, "gives no answer") || strings.Contains(log, "of no use") {
			t.Errorf("the log speaks of an outage:\n%s", log)
		}
		r.site.become(status(http.StatusBadGateway)) // another trouble is told anew
		r.call(request("GET", "/v1/orders/4711", raw))
		if log := r.log.String(); strings.Count(log, "gives no answer") != 1 {
			t.Errorf("the outage is not logged:\n%s", log)
		}
	})
}

// TestASecretMayComeFromAFile, which ends with a newline.
func TestASecretMayComeFromAFile(t *testing.T) {
	r := newRig(t, func(c *verify.Config) { c.Secret = " " + secret + "\r\n" })
	if got := r.get(r.issue(t, order())); got != http.StatusOK {
		t.Errorf("answered %d", got)
	}
	if _, err := verify.New(verify.Config{Issuer: "https://nightlatch.example.com", Audience: audience, Caller: "orders-api", Secret: "\n"}); err == nil {
		t.Error("white space is a secret")
	}
}
