// Package slackemu is a Slack workspace with one installed app: what an app of this project calls, and what it is told,
// with the limits, scopes and deadlines of the real thing. Tests use it in a testing/synctest bubble over an in-memory
// network; the playground serves it on loopback.
//
// # Life
//
// New makes a workspace, which is an http.Handler and needs no start. Give it to an http.Server, fill it with PutUser,
// PutChannel and PutUserGroup, and let the app connect to Config.BaseURL with "/api/" behind it. People act by RunCommand,
// Press, Fill, Submit, CloseView, OpenHome, OpenMessages, Reload and UseDevice; SeenBy says what one person sees. ChangeUser and
// ChangeUserGroup are what happens in the workspace meanwhile, with the events that tell the app. Close ends it. In a bubble
// every method may be called; none of them waits for the wire, except Act.Wait. Nothing is forgotten: what the workspace
// holds grows with what is sent to it, so that it is good for an evening, and not for a month.
//
// # What it answers
//
//	apps.connections.open   auth.test            chat.postMessage   chat.update        chat.postEphemeral
//	conversations.open      conversations.info   users.list         users.info         usergroups.list
//	usergroups.users.list   views.open           views.push         views.update       views.publish
//
// and what is posted to a response_url: five times in half an hour, with replace_original, delete_original and
// response_type.
//
// Methods and Limits are the tables it goes by. A method without a row answers unknown_method, an argument without a row
// invalid_arg_name (Slack ignores some: here a test shall see them; team_id alone may come with every call), a block or
// element that is not in its list is refused. Whatever the app does against Slack's rules is also kept in Violations, which
// a test wants empty. Received keeps every body that came in, whatever was answered.
//
// Socket Mode: the URL is good for one connection; hello; a ping every five seconds; ten connections at most, each
// envelope to one of them in turn; a warning and the end after five hours; slash_commands, interactive (block_actions,
// view_submission, view_closed) and events_api, which is repeated three times. Who is not acknowledged within three seconds
// is shown a warning, kept on the Screen.
//
// Views: three modals on one another, each opened or pushed within three seconds of a press; the App Home, one for each
// person, shown from when it is published. As Slack's client does, Submit sends nothing while an input is empty that is not
// optional, too short, too long or no number in its range: the messages stand under the inputs then, and the error is
// ErrInvalid. Ephemeral messages and modals are on one device alone, and a reload takes them away.
//
// Events: app_home_opened, whose tab is "messages" as often as "home"; team_join and user_change; subteam_created, _updated,
// _members_changed, _self_added and _self_removed, of which the first two name 500 members at most; and whatever is given to SendEvent.
//
// # What is not known, and how it is decided here
//
//   - users.list names people of other workspaces too, once a shared channel made them known; users.info answers
//     user_not_visible for those who are in no channel with the app.
//   - A press on a button that has gone is delivered, with the message as it is now.
//   - An ephemeral message is not echoed in the payload of a press in it.
//   - Opening a modal while another is open puts the new one in its place.
//   - A response URL answers refusals with status 400 or 404 and {"ok": false, "error": …}.
//   - With replace_original, the URL of a command replaces its own last answer.
//   - The bound on the characters of a message's blocks counts what a reader sees.
//   - A home that is published again keeps its ID, and what was entered into inputs that are still there.
//   - A modal that a reload took away is as gone as a closed one: views.update answers not_found, and view_closed is not sent.
//   - An answer that replaces an ephemeral message which a reload took away appears anew.
//   - views.push with the trigger of anything but an open modal answers not_found.
//   - Deactivated members stay in their groups and are not listed.
//   - An ephemeral message is shown on the device that its person uses when it comes, and on no other.
//   - The counts in subteam_members_changed are numbers, as in Slack's own types; on its page they are text.
//   - RealTiers counts a sliding minute per method, and ten messages in ten seconds per channel.
//
// Missing: threads as places, files, select menus that are pressed in messages, inputs that dispatch actions or stand in the
// App Home, direct messages between several people, Enterprise Grid, and dialogs. Attachments are kept and shown, and not
// looked into.
//
// # Control API
//
// Scripts do all of this over HTTP, under /control/. The request's Host must be loopback and its header X-Control-Token
// must be Config.ControlToken; otherwise the answer is 403. Bodies and answers are JSON objects; an unknown field is 400, as is
// everything that cannot be done, with {"error": …}; what is not on the person's screen is 404. Durations are written "10s".
//
// A person. The answers are an Act with its "outcome", for which the call waits (3 s at most) unless "no_wait" is true:
//
//	GET  screen?user=U1       Screen
//	POST command              {"user", "channel", "line"}; without channel in the direct message with the app
//	POST press                {"user", "text", "action_id", "value", "channel", "message_ts"}: all that are given must match;
//	                          with "home": true in the App Home, where it is not looked for otherwise
//	POST press_at             {"user", "button": Button}: one seen earlier, or by somebody else
//	POST fill                 {"user", "inputs": {action_id: value}}
//	POST submit               {"user", "inputs"}
//	POST close                {"user"}
//	POST home | messages      {"user"}: opens that tab of the app; its outcome is not waited for
//	POST reload               {"user"}
//	POST device               {"user", "device"}: goes on with the device of that name
//
// The world:
//
//	POST user | group | channel             User, UserGroup, Channel: adds or replaces
//	POST user/change                        User: and tells the app; its outcome is not waited for
//	POST group/change                       UserGroup: the same; answers {"acts": [Act]}
//	POST user/remove | group/remove | channel/remove                                {"id"}
//	POST event                an event with its "type"; event/user_change and event/team_join take {"id"} of a user
//	POST skew                 {"by"}: moves the Date header
//	GET  received             list of Piece, bytes in base64
//	GET  violations           list of Violation
//	GET  connections          {"connections": 1}
//
// What goes wrong:
//
//	POST fault                {"method", "delay", "drop", "retry_after", "status", "error", "after", "times"}; see Fault
//	POST fault/clear          {}
//	POST hold                 {"method", "when": "before" | "after"}; answers {"id"}
//	POST hold/wait | hold/release | hold/drop                                        {"id"}
//	POST sockets/cut          {}
//	POST sockets/disconnect   {"reason"}
//	POST delivery             {"suppress", "hold", "copies"}; see Delivery
//	GET  undelivered          list of envelope IDs
//	POST deliver              {"envelope_id"}
package slackemu
