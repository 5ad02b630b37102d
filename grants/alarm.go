package grants

import "time"

// Alarm is something that a human must see to.
type Alarm struct {
	Key     string    `json:"key"`           // names the cause and the page, over all installations: what happens under it is one incident
	Summary string    `json:"summary"`       // what happened, what to do next; at most 1,000 bytes
	Since   time.Time `json:"since"`         // when it began
	Over    time.Time `json:"over,omitzero"` // zero: it lasts
}
