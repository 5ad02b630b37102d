// Package pagerdutyemu plays the part of PagerDuty's REST API that Nightlatch calls, on a wire of its own, so that the
// real client can be run against it in tests and in the playground.
//
// It answers exactly these requests, and records everything else as a violation:
//
//	GET /oncalls                     limit, offset, total, time_zone, since, until, user_ids[],
//	                                 escalation_policy_ids[], schedule_ids[]
//	GET /users                       limit, offset, total, query
//	GET /escalation_policies         limit, offset, total, query, user_ids[], team_ids[], include[], sort_by
//	GET /escalation_policies/{id}    include[]
//	GET /schedules                   limit, offset, total, query
//	GET /schedules/{id}              time_zone, since, until, overflow: the final schedule and the overrides of that window
//	GET /schedules/{id}/overrides    since, until, editable, overflow
//	POST /schedules/{id}/overrides   several, or one in the older form
//	DELETE /schedules/{id}/overrides/{override_id}
//	GET /incidents                   limit, offset, total, time_zone, since, until, date_range, statuses[], service_ids[],
//	                                 user_ids[], urgencies[], incident_key
//	POST /incidents                  type, title, service, incident_key, urgency, with a From header
//	PUT /incidents                   several at once: acknowledge and resolve, with a From header
//	GET /incidents/{id}
//	PUT /incidents/{id}              acknowledge and resolve, with a From header
//	GET /incidents/{id}/notes
//	POST /incidents/{id}/notes       with a From header
//	GET /services                    limit, offset, total, query, name
//	GET /services/{id}
//	POST /v2/enqueue                 Events API v2: trigger, acknowledge, resolve, by the routing key of a service
//
// Faults, holds and the list of requests call them oncalls, users, policies, policy, schedules, schedule, overrides,
// overrides.create, override.delete, incidents, incident.create, incidents.update, incident, incident.update, notes,
// note.create, services, service and enqueue. From is the e-mail of a user of the account. A list of incidents goes back
// one month unless told otherwise, and spans six at most; a resolved incident is assigned to nobody and keeps no
// acknowledgements, and nothing but notes changes it any more.
//
// An override stands in the place of everybody's shifts, and of the overrides that were made before it. Deleting one that
// has begun ends it now (200), one that is over cannot be deleted (400), and one ahead goes without a trace (204). A
// list shows their IDs only when it is asked for the editable ones. Shift-based schedules are refused (400) and not
// listed; layers are not shown.
//
// /v2/enqueue wants no key and no version. It answers 202, 400 for an event that is not valid, 413 over 512 KB, and 429
// when the service had its events of the minute. It has no ratelimit headers.
//
// With Config.ReadOnly the key may only read, as one of PagerDuty's read-only API keys: everything else answers 403
// before it is looked at.
//
// Like PagerDuty it wants "Authorization: Token token=…" and version 2 in Accept; gives 25 entries a page unless told
// otherwise and 100 at most; repeats a shift for each policy and level that its schedule stands on; says null for the
// start, end and schedule of whoever is a direct target; leaves out schedules that no policy has; cuts times to whole
// seconds; looks 90 days ahead; counts requests a minute and sends ratelimit-limit, ratelimit-remaining and
// ratelimit-reset (seconds) with every answer; and refuses with 429 and code 2020 when the minute is used up.
//
// New makes an emulator, any http.Server serves it, and Close releases whoever a hold or a delay keeps waiting. It has
// no goroutines of its own. Its clock is time.Now, so it lives in a testing/synctest bubble too.
//
// # Control API
//
// A script changes the world under /control/ with POST and a JSON body; it answers 204, or JSON where it says so, and
// 400 with {"error": …} for what it does not understand. The Host must be loopback, and the header X-Control-Token must
// hold Config.ControlToken. Times are RFC 3339, an absent or null time is one that PagerDuty has no value for; durations
// are written as "1m30s".
//
//	user      {"id", "name", "email", "time_zone", "invitation_sent"}      add or replace a user
//	remove    {"user"} or {"policy"}                                       take one away
//	policy    {"id", "name", "levels": [[{"schedule"} or {"user"}, …], …]}  the first list is level 1
//	schedule  {"id", "name", "v3"}                                         name a schedule
//	shifts    {"schedule", "shifts": [{"user", "start", "end"}, …]}        replace its shifts; its overrides are gone
//	end       {"schedule", "user"}                                         the running shift or override ends now
//	move      {"schedule", "user", "end"}                                  the running or next one ends then
//	swap      {"schedule", "users": [a, b]}                                from now on, each has the other's
//	override  {"schedule", "user", "start", "end"}                         takes everybody's place in that time
//	service   {"id", "name", "policy", "routing_key"}                      add or replace a service
//	trigger   {"service", "title", "user", "key", "urgency"}               answers the incident; without user, the service did it
//	acknowledge {"incident", "user"}                                       a person acknowledges
//	resolve   {"incident", "user"}                                         without user, the service did it
//	note      {"incident", "user", "content"}                              answers the note
//	fault     {"method", "status", "body", "delay", "reset", "drop", "skip", "times"}  see Fault
//	hold      {"method", "when": "before" or "after"}                      answers {"hold": 1}
//	release   {"hold", "drop"}                                             lets the held request go on, or cuts it
//	clear     {}                                                           ends all faults
//
//	GET /control/hold?hold=1    {"arrived": true} when the hold has caught its request
//	GET /control/oncall?at=…    [{"policy", "level", "schedule", "user", "start", "end"}, …], at a time or now
//	GET /control/incidents      [{"id", "title", "service", "status", "assigned", "acknowledgements", "notes", …}, …], oldest first
//	GET /control/requests       [{"method", "query", "at", "status"}, …], oldest first, the last few thousand
//	GET /control/violations     [{"at", "method", "rule", "detail"}, …]
package pagerdutyemu
