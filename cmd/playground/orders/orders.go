// Package orders is what the playground protects: a few orders in memory, some of them stuck, and an archive of old ones.
// Whoever serves them puts a check of tokens before them; the services themselves ask nobody who calls.
package orders

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync"
)

// Order is what a shop knows of a purchase, as far as this service cares.
type Order struct {
	ID    string `json:"id"`
	Item  string `json:"item"`
	State string `json:"state"` // "paid", "stuck", "released" or "delivered"
}

// API answers
//
//	GET  /v1/orders
//	GET  /v1/orders/{id}
//	POST /v1/orders/{id}/release    a stuck one goes on
type API struct {
	mux    *http.ServeMux
	mu     sync.Mutex
	orders []Order
}

// New makes the service with its orders.
func New() *API {
	a := &API{mux: http.NewServeMux(), orders: []Order{
		{"4709", "Lamp", "paid"}, {"4710", "Blanket", "paid"}, {"4711", "Alarm clock", "stuck"}, {"4712", "Candle", "stuck"},
	}}
	a.mux.HandleFunc("GET /v1/orders", a.list)
	a.mux.HandleFunc("GET /v1/orders/{id}", a.show)
	a.mux.HandleFunc("POST /v1/orders/{id}/release", a.release)
	return a
}

// Archive is another service, of orders that are long over. It answers
//
//	GET /v1/archive/{id}
func Archive() http.Handler {
	past := &API{mux: http.NewServeMux(), orders: []Order{{"4701", "Curtain", "delivered"}, {"4702", "Pillow", "delivered"}}}
	past.mux.HandleFunc("GET /v1/archive/{id}", past.show)
	return past
}

// ServeHTTP answers a call that is allowed already.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.mux.ServeHTTP(w, r) }

func (a *API) list(w http.ResponseWriter, _ *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer(w, http.StatusOK, a.orders)
}

func (a *API) show(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if o := a.find(r.PathValue("id")); o != nil {
		answer(w, http.StatusOK, *o)
		return
	}
	missing(w)
}

func (a *API) release(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	o := a.find(r.PathValue("id"))
	if o == nil {
		missing(w)
		return
	}
	if o.State == "stuck" {
		o.State = "released"
	}
	answer(w, http.StatusOK, *o)
}

// find returns the order itself. Call it locked.
func (a *API) find(id string) *Order {
	if i := slices.IndexFunc(a.orders, func(o Order) bool { return o.ID == id }); i >= 0 {
		return &a.orders[i]
	}
	return nil
}

func missing(w http.ResponseWriter) {
	answer(w, http.StatusNotFound, map[string]string{"error": "there is no such order"})
}

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller may be gone; nobody else wants to know
}
