package slackemu

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// mostUsers is what users.list gives at a time.
const mostUsers = 1000

func (e *Emulator) authTest(*call) answer {
	return answer{fields: object{
		"url": "https://" + e.cfg.TeamDomain + ".slack.com/", "team": e.cfg.TeamDomain, "team_id": e.cfg.TeamID,
		"user": e.users[e.cfg.BotUserID].Name, "user_id": e.cfg.BotUserID, "bot_id": e.cfg.BotID,
		"is_enterprise_install": false,
	}}
}

func (e *Emulator) userInfo(c *call) answer {
	u, ok := e.users[c.args["user"]]
	if !ok {
		return refuse("user_not_found")
	}
	if !e.visible(u) {
		return refuse("user_not_visible")
	}
	return answer{fields: object{"user": e.wireUser(u)}}
}

// visible reports whether the app may look at an account: at a stranger only in a channel that both are in.
func (e *Emulator) visible(u User) bool {
	if !u.IsStranger {
		return true
	}
	for _, c := range e.channels {
		if !c.WithoutBot && slices.Contains(c.Members, u.ID) {
			return true
		}
	}
	return false
}

// listUsers pages by the ID that comes next, so that a change between two pages neither hides nor repeats others.
func (e *Emulator) listUsers(c *call) answer {
	limit, _ := strconv.Atoi(c.args["limit"])
	ids := slices.Sorted(maps.Keys(e.users))
	if limit <= 0 && len(ids) > mostUsers {
		return refuse("limit_required")
	}
	if limit <= 0 || limit > mostUsers {
		limit = mostUsers
	}
	from := 0
	if cursor := c.args["cursor"]; cursor != "" {
		raw, err := base64.StdEncoding.DecodeString(cursor)
		next, ok := strings.CutPrefix(string(raw), "user:")
		if err != nil || !ok {
			return refuse("invalid_cursor")
		}
		from, _ = slices.BinarySearch(ids, next)
	}
	page, next := ids[from:], ""
	if len(page) > limit {
		next = base64.StdEncoding.EncodeToString([]byte("user:" + page[limit]))
		page = page[:limit]
	}
	members := []object{}
	for _, id := range page {
		members = append(members, e.wireUser(e.users[id]))
	}
	return answer{fields: object{
		"members": members, "cache_ts": 1, "response_metadata": object{"next_cursor": next},
	}}
}

// openConversation opens the direct message with one person; this app has no scope for groups of people.
func (e *Emulator) openConversation(c *call) answer {
	if id := c.args["channel"]; id != "" {
		ch, ok := e.channels[id]
		switch {
		case !ok:
			return refuse("channel_not_found")
		case ch.directWith == "":
			return refuse("method_not_supported_for_channel_type")
		}
		return answer{fields: object{"channel": object{"id": ch.ID, "user": ch.directWith, "is_im": true}}}
	}
	list := c.args["users"]
	if list == "" {
		return refuse("users_list_not_supplied")
	}
	users := strings.Split(list, ",")
	if len(users) > 8 {
		return refuse("too_many_users")
	}
	if len(users) > 1 {
		return e.missingScope(c, "mpim:write")
	}
	if !e.granted("im:write") {
		return e.missingScope(c, "im:write")
	}
	u, ok := e.users[users[0]]
	switch {
	case !ok:
		return refuse("user_not_found")
	case u.Deleted:
		return refuse("user_disabled")
	}
	c.piece.Person = u.ID
	_, already := e.direct[u.ID]
	channel := object{"id": e.dm(u.ID)}
	if c.args["return_im"] == "true" {
		channel["user"], channel["is_im"], channel["is_open"] = u.ID, true, true
	}
	return answer{fields: object{"channel": channel, "no_op": already, "already_open": already}}
}

func (e *Emulator) conversationInfo(c *call) answer {
	ch, ok := e.channels[c.args["channel"]]
	if !ok {
		return refuse("channel_not_found")
	}
	needed := "channels:read"
	switch {
	case ch.directWith != "":
		needed = "im:read"
	case ch.IsPrivate:
		needed = "groups:read"
	}
	if !e.granted(needed) {
		return e.missingScope(c, needed)
	}
	if ch.IsPrivate && ch.WithoutBot {
		return refuse("channel_not_found")
	}
	out := object{
		"id": ch.ID, "name": ch.Name, "name_normalized": ch.Name, "is_channel": ch.directWith == "" && !ch.IsPrivate,
		"is_group": ch.IsPrivate, "is_im": ch.directWith != "", "is_mpim": false, "is_private": ch.IsPrivate || ch.directWith != "",
		"is_archived": ch.IsArchived, "is_general": false, "is_member": !ch.WithoutBot,
		"is_shared": ch.IsExtShared || ch.IsOrgShared, "is_ext_shared": ch.IsExtShared,
		"is_pending_ext_shared": ch.IsPendingExtShared, "is_org_shared": ch.IsOrgShared,
		"context_team_id": e.cfg.TeamID, "created": 1,
	}
	if ch.directWith != "" {
		out["user"] = ch.directWith
	}
	if c.args["include_num_members"] == "true" {
		out["num_members"] = len(ch.Members)
	}
	return answer{fields: object{"channel": out}}
}
