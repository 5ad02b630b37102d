package verify_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"nightlatch/integrations/token/verify"
)

// A service of three lines: it says who reads which order.
func Example() {
	v, err := verify.New(verify.Config{
		Issuer:   "https://nightlatch.example.com",
		Audience: "https://orders.example.com",
		Caller:   "orders-api",
		Secret:   verify.Secret(os.Getenv("NIGHTLATCH_SECRET") + "for the example"),
		Log:      slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/orders/{id}", func(w http.ResponseWriter, r *http.Request) {
		token, _ := verify.FromContext(r.Context())
		_, _ = fmt.Fprintf(w, "order %s, read by %s under %s\n", r.PathValue("id"), token.Person, token.Grant)
	})
	service := v.Wrap(mux) // give it to http.ListenAndServeTLS

	w := httptest.NewRecorder()
	service.ServeHTTP(w, httptest.NewRequest("GET", "/v1/orders/4711", nil))
	fmt.Println(w.Code, w.Header().Get("WWW-Authenticate"))
	// Output: 401 Bearer realm="nightlatch"
}
