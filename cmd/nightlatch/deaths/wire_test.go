package deaths_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// moment is when in the life of a request the program dies.
type moment string

const (
	before moment = "before" // the request was sent, and nothing happened
	after  moment = "after"  // it took effect, and the answer was not sent
	told   moment = "told"   // it goes on, and the program is told to stop
)

// aToken is what a JSON Web Token looks like.
var aToken = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{86}`)

// outside is everything that the program sends requests to. It counts them, keeps the secrets
// that pass, and lets the program die at one.
type outside struct {
	die  func() // returns when the program is gone
	tell func() // has the program told to stop

	mu     sync.Mutex
	n      int // the request to die at; 0: none
	again  int // the one of the next life to die at; 0: none
	when   moment
	count  int
	died   []string // the requests at which it did
	calls  []string // each request in order
	tokens []string // each that was ever sent, delivered or not
}

// behind puts a handler behind the count.
func (o *outside) behind(name func(*http.Request) string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil { // it died while it was sending
			panic(http.ErrAbortHandler)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		method := name(r)
		switch when := o.arrive(method, body); {
		case when == before, when == after && method == socket: // what follows a handshake never ends
			o.die()
			panic(http.ErrAbortHandler)
		case when == after:
			next.ServeHTTP(httptest.NewRecorder(), r)
			o.die()
			panic(http.ErrAbortHandler)
		case when == told:
			o.tell()
		}
		next.ServeHTTP(w, r)
	})
}

// arrive counts a request and says whether it is the one to die at.
func (o *outside) arrive(method string, body []byte) moment {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count++
	o.calls = append(o.calls, method)
	for _, t := range aToken.FindAll(body, -1) {
		if !slices.Contains(o.tokens, string(t)) {
			o.tokens = append(o.tokens, string(t))
		}
	}
	if o.count != o.n {
		return ""
	}
	o.died = append(o.died, method)
	o.count, o.n, o.again = 0, o.again, 0
	return o.when
}

func (o *outside) seen() (died, calls, tokens []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.died), slices.Clone(o.calls), slices.Clone(o.tokens)
}

// socket is the handshake of a connection from Slack.
const socket = "socket"

// slackMethod names a request to Slack.
func slackMethod(r *http.Request) string {
	first, rest, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch first {
	case "api":
		return rest
	case "link":
		return socket
	}
	return first // "response": a response URL
}

// pagerMethod names a request to PagerDuty.
func pagerMethod(r *http.Request) string { return r.Method + " " + r.URL.Path }
