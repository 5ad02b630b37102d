package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file tells the security channel what it should look at. What is to be told is stored
// in the transaction in which it happens, and deleted when it was told: at least once.

// mostNews is how many people one reading is told about each by themselves.
const mostNews = 20

// Announcement is news for the security channel.
type Announcement struct {
	Channel string           `json:"-"` // where it is to be told
	At      time.Time        `json:"at"`
	News    grants.News      `json:"news,omitempty"`
	Person  grants.PersonKey `json:"person,omitempty"`
	By      grants.PersonKey `json:"by,omitempty"` // who did it; empty: it was found
	Detail  string           `json:"detail,omitempty"`
	More    int              `json:"more,omitempty"` // instead of a person: how many others there is news of

	// Of a credential that was used after its end:
	Of         string       `json:"of,omitempty"`         // its grant's ID …
	Grant      grants.Grant `json:"-"`                    // … and the grant as it is now
	Credential int          `json:"credential,omitempty"` // its ordinal
	Caller     string       `json:"caller,omitempty"`     // who got it and asked about it
}

// doc is the document in which an announcement waits. The key's end tells apart those of one moment.
func (a Announcement) doc() (ledger.Doc, error) {
	b, err := grants.Encode(a)
	if err != nil {
		return ledger.Doc{}, fmt.Errorf("encoding news of %s: %w", a.Person, err)
	}
	return ledger.Doc{Kind: docNotice, Key: ledger.TimeKey(a.At) + string(a.Person), Value: b}, nil
}

// newsOf are the announcements of a reading. When there are many, the last one counts the rest.
func newsOf(people, before []grants.Person, now time.Time) ([]ledger.Doc, error) {
	was := make(map[grants.PersonKey]grants.Person, len(before))
	for _, p := range before {
		was[p.Key] = p
	}
	var docs []ledger.Doc
	more := 0
	for _, p := range people {
		old, ok := was[p.Key]
		news := grants.Moved(old, p)
		switch {
		case !ok || news == "":
			continue
		case len(docs) == mostNews:
			more++
			continue
		}
		doc, err := Announcement{At: now, News: news, Person: p.Key, Detail: detailOf(news, old, p)}.doc()
		if err != nil {
			return nil, err
		}
		docs = append(docs, doc)
	}
	if more == 0 {
		return docs, nil
	}
	doc, err := Announcement{At: now, More: more}.doc()
	doc.Key += "~" // after those of the people
	return append(docs, doc), err
}

func detailOf(news grants.News, old, now grants.Person) string {
	switch news {
	case grants.FrozenNow:
		return now.Frozen
	case grants.EmailMoved:
		return "from " + old.Email + " to " + now.Email
	}
	return string(now.Standing)
}

// keepAnnouncing tells the news, oldest first.
func (s *Service) keepAnnouncing(ctx context.Context) {
	retry := tellRetry
	for ctx.Err() == nil {
		pause := tellRetryMax // until the next kick
		told, err := s.announce(ctx)
		wait, isWait := errors.AsType[*Wait](err)
		switch {
		case isWait:
			pause = wait.For
		case err != nil && ctx.Err() == nil:
			s.Log.Warn("telling news for security, trying again", "error", err)
			pause, retry = retry, min(2*retry, tellRetryMax)
		case told:
			retry = tellRetry
			continue
		}
		select {
		case <-ctx.Done():
		case <-s.newsKick:
		case <-time.After(pause):
		}
	}
}

// announce tells the oldest news and deletes it; false: there is none.
func (s *Service) announce(ctx context.Context) (bool, error) {
	var key string
	var a Announcement
	err := s.Ledger.View(ctx, func(v *ledger.View) (err error) {
		v.Scan(docNotice, "", func(k string, b []byte) bool {
			key, err = k, json.Unmarshal(b, &a)
			return false
		})
		if err == nil && a.Of != "" {
			a.Grant, _, err = load(v, a.Of)
		}
		return err
	})
	if err != nil || key == "" {
		return false, err
	}
	if a.Channel = s.SecurityChannel; a.Channel == "" {
		s.Log.Warn("news for security, and no security channel to tell it in",
			"news", string(a.News), "person", string(a.Person), "by", string(a.By), "detail", a.Detail, "more", a.More,
			"grant", a.Of, "caller", a.Caller)
	} else if err := s.say(ctx, a); err != nil {
		return false, err
	}
	err = s.commit(ctx, func(*ledger.View) (ledger.Change, error) {
		return ledger.Change{Docs: []ledger.Doc{{Kind: docNotice, Key: key}}}, nil
	})
	if err != nil {
		s.fatal(err)
	}
	return err == nil, err
}

// say tells one announcement, or gives it up when that was tried for a day.
func (s *Service) say(ctx context.Context, a Announcement) error {
	sayCtx, cancel := context.WithTimeout(ctx, tellPatience)
	defer cancel()
	err := s.Notifier.Announce(sayCtx, a)
	if err != nil && s.now().Sub(a.At) > tellInVain {
		s.Log.Error("giving up to tell news for security", "news", string(a.News), "person", string(a.Person), "error", err)
		return nil
	}
	return err
}
