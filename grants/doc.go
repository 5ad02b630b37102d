// Package grants says what is true about on-call access: who may hold which
// grant, for how long, and why not.
//
// A [Grant] is one person's time-boxed use of one [Role]. It is a value; every
// change to it is a row of one transition table, every decision is [Decide] on
// a whole [Input], and when something is due next is [Grant.NextAt]. The package knows no clock, no
// wire and no disk: its callers bring the time, PagerDuty's answers and the
// stored bytes, and store what comes back. [Check] holds the promises against
// the stored state and its events.
//
// Stored documents and events are frozen from their first version: their JSON
// is deterministic, and a new field is a new version.
package grants
