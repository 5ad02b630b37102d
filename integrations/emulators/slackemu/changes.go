package slackemu

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// group is a user group and when it became what it is, in Unix seconds.
type group struct {
	UserGroup
	created, updated, disabled int64
}

// ChangeUser does what PutUser does, and tells the app: by team_join of an account that is new in this workspace, by
// user_change of every other one, also if nothing that the emulator knows of has changed.
func (e *Emulator) ChangeUser(u User) *Act {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, known := e.users[u.ID]
	u = e.putUser(u)
	kind := "user_change"
	if !known && u.TeamID == e.cfg.TeamID && !u.IsStranger {
		kind = "team_join"
	}
	return e.tellUser(kind, u)
}

// SendUserChange tells the app what an account is now.
func (e *Emulator) SendUserChange(id string) (*Act, error) { return e.sendUser("user_change", id) }

// SendTeamJoin tells the app that an account is new.
func (e *Emulator) SendTeamJoin(id string) (*Act, error) { return e.sendUser("team_join", id) }

func (e *Emulator) sendUser(kind, id string) (*Act, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	u, ok := e.users[id]
	if !ok {
		return nil, fmt.Errorf("sending %s: there is no user %q", kind, id)
	}
	return e.tellUser(kind, u), nil
}

func (e *Emulator) tellUser(kind string, u User) *Act {
	return e.send(&Act{Kind: kind}, object{
		"type": kind, "user": e.wireUser(u), "cache_ts": time.Now().Unix(), "event_ts": e.stamp(),
	})
}

// ChangeUserGroup does what PutUserGroup does, and tells the app: subteam_created of a new group, subteam_updated of any
// change, subteam_members_changed too of a change of members, and subteam_self_added or _removed if the bot is among those.
// The acts are in the order in which they were sent; there are none if nothing has changed.
func (e *Emulator) ChangeUserGroup(g UserGroup) []*Act {
	e.mu.Lock()
	defer e.mu.Unlock()
	old, known := e.groups[g.ID]
	now := e.putGroup(g)
	missing := func(from []string) func(string) bool {
		return func(id string) bool { return slices.Contains(from, id) }
	}
	added := slices.DeleteFunc(slices.Clone(now.Users), missing(old.Users))
	removed := slices.DeleteFunc(slices.Clone(old.Users), missing(now.Users))
	acts := []*Act{}
	tell := func(kind string, more object) {
		event := object{"type": kind, "event_ts": e.stamp()}
		maps.Copy(event, more)
		acts = append(acts, e.send(&Act{Kind: kind}, event))
	}
	members := len(added)+len(removed) > 0
	switch {
	case !known:
		tell("subteam_created", object{"subteam": e.toldGroup(now)})
	case members || old.Handle != now.Handle || old.Name != now.Name || old.Disabled != now.Disabled:
		tell("subteam_updated", object{"subteam": e.toldGroup(now)})
	}
	if members {
		tell("subteam_members_changed", object{
			"subteam_id": now.ID, "team_id": e.cfg.TeamID, "date_previous_update": old.updated, "date_update": now.updated,
			"added_users": added, "added_users_count": len(added),
			"removed_users": removed, "removed_users_count": len(removed),
		})
	}
	if slices.Contains(added, e.cfg.BotUserID) {
		tell("subteam_self_added", object{"subteam_id": now.ID})
	}
	if slices.Contains(removed, e.cfg.BotUserID) {
		tell("subteam_self_removed", object{"subteam_id": now.ID})
	}
	return acts
}

// putUser stores an account as it is from now on. Call it locked.
func (e *Emulator) putUser(u User) User {
	if u.TeamID == "" {
		u.TeamID = e.cfg.TeamID
	}
	e.users[u.ID] = u
	e.updated[u.ID] = time.Now().Unix()
	return u
}

// putGroup stores a group as it is from now on. Call it locked.
func (e *Emulator) putGroup(g UserGroup) group {
	now := time.Now().Unix()
	made, known := e.groups[g.ID]
	if !known {
		made.created = now
	}
	switch {
	case !g.Disabled:
		made.disabled = 0
	case made.disabled == 0:
		made.disabled = now
	}
	g.Users = slices.Clone(g.Users)
	made.UserGroup, made.updated = g, now
	e.groups[g.ID] = made
	return made
}

// activeMembers are the members of a group whose accounts are not deactivated.
func (e *Emulator) activeMembers(g group) []string {
	users := []string{}
	for _, id := range g.Users {
		if !e.users[id].Deleted {
			users = append(users, id)
		}
	}
	return users
}

// mostToldMembers is how many members an event names.
const mostToldMembers = 500

// toldGroup is a group as events tell it: of a large one they count more members than they name.
func (e *Emulator) toldGroup(g group) object {
	out := e.wireGroup(g, true, true)
	members := e.activeMembers(g)
	out["users"] = members[:min(len(members), mostToldMembers)]
	return out
}

// wireGroup is a group as usergroups.list and the events tell it.
func (e *Emulator) wireGroup(g group, users, count bool) object {
	out := object{
		"id": g.ID, "team_id": e.cfg.TeamID, "is_usergroup": true, "is_subteam": true, "name": g.Name, "description": "",
		"handle": g.Handle, "is_external": false, "date_create": g.created, "date_update": g.updated,
		"date_delete": g.disabled, "auto_type": nil, "auto_provision": false, "enterprise_subteam_id": "",
		"created_by": "USLACKBOT", "updated_by": "USLACKBOT", "deleted_by": nil,
		"prefs": object{"channels": []string{}, "groups": []string{}},
	}
	if g.Disabled {
		out["deleted_by"] = "USLACKBOT"
	}
	members := e.activeMembers(g)
	if users {
		out["users"] = members
	}
	if count {
		out["user_count"], out["channel_count"] = len(members), 0
	}
	return out
}

func (e *Emulator) listGroups(c *call) answer {
	groups := []object{}
	for _, id := range slices.Sorted(maps.Keys(e.groups)) {
		if g := e.groups[id]; !g.Disabled || c.args["include_disabled"] == "true" {
			groups = append(groups, e.wireGroup(g, c.args["include_users"] == "true", c.args["include_count"] == "true"))
		}
	}
	return answer{fields: object{"usergroups": groups}}
}

func (e *Emulator) listGroupUsers(c *call) answer {
	g, ok := e.groups[c.args["usergroup"]]
	if !ok || (g.Disabled && c.args["include_disabled"] != "true") {
		return refuse("no_such_subteam")
	}
	return answer{fields: object{"users": e.activeMembers(g)}}
}
