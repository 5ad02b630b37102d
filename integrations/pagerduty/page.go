package pagerduty

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	pd "github.com/PagerDuty/go-pagerduty"
)

// page is one page of a list: where it stands, what is on it and when it was asked for.
type page[T any] struct {
	pd.APIListObject
	items []T
	sent  time.Time
}

// mostPages is how far PagerDuty lets a list be read: 10,000 entries.
const mostPages = 100

// everyPage reads a list to its end, and says when the first page was sent for.
func everyPage[T any](read func(offset uint) (page[T], error)) ([]T, time.Time, error) {
	var all []T
	var began time.Time
	var offset uint
	for range mostPages {
		p, err := read(offset)
		if err != nil {
			return nil, time.Time{}, err
		}
		if offset == 0 {
			began = p.sent
		}
		if p.Offset != offset {
			return nil, time.Time{}, fmt.Errorf("%w: the page at %d came when %d was asked for", ErrBadAnswer, p.Offset, offset)
		}
		all = append(all, p.items...)
		if !p.More {
			return all, began, nil
		}
		if p.Limit == 0 || len(p.items) == 0 {
			return nil, time.Time{}, fmt.Errorf("%w: the page at %d leads nowhere", ErrBadAnswer, offset)
		}
		offset += p.Limit // the answer's own, which may be less than was asked for
	}
	return nil, time.Time{}, fmt.Errorf("%w: more than %d pages", ErrBadAnswer, mostPages)
}

// complete reports what a page lacks. The library reads an absent field, null and "" alike, and for us they differ: an
// absent list is not an empty one, an absent "more" is not the last page, and only a null end is for ever.
func complete(body []byte) error {
	var list struct {
		Limit, Offset  *uint
		More           *bool
		OnCalls, Users *[]struct{ Start, End json.RawMessage }
	}
	if err := json.Unmarshal(body, &list); err != nil {
		return fmt.Errorf("reading a page: %w", err)
	}
	switch {
	case list.Limit == nil || list.Offset == nil || list.More == nil:
		return errors.New("a page that does not say where it stands")
	case list.OnCalls == nil && list.Users == nil:
		return errors.New("a page without a list")
	case list.OnCalls == nil:
		return nil
	}
	for _, entry := range *list.OnCalls {
		for _, at := range []json.RawMessage{entry.Start, entry.End} {
			if len(at) == 0 || string(at) == `""` {
				return errors.New("an entry without its start or end")
			}
		}
	}
	return nil
}
