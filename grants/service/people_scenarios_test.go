package service_test

import (
	"time"

	"nightlatch/grants/service"
)

// freezes and thaws are what security does about a person. Nobody waits for the answer.

func (w *world) freezes(user string) {
	_, _ = w.svc.Freeze(w.ctx, w.origin(cleo), person(user), "her laptop was stolen")
}

func (w *world) thaws(user string) { _, _ = w.svc.Thaw(w.ctx, w.origin(cleo), person(user)) }

// peopleScenarios are deaths while security acts, and while somebody is paged.
func peopleScenarios() []scenario {
	return []scenario{
		{
			name: "freezing at the end",
			play: func(w *world, at time.Duration) {
				opened := time.Now()
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				_, _ = w.reveals(anna, id)
				w.moment(opened, openFor, at)
				w.freezes(anna)
				w.lasts(time.Second)
				w.thaws(anna)
				w.from(anna, orders)
			},
		},
		{
			name:  "a page about a target that does not revoke, and its end",
			world: func(w *world) { w.pagers = []service.Pager{&beeper{}} },
			play: func(w *world, at time.Duration) {
				id := w.from(anna, orders)
				w.lasts(100 * time.Millisecond)
				_, _ = w.reveals(anna, id)
				w.target.with(func(t *target) { t.revoking = faults{Calls: 7, Err: errUnreachable} })
				returned := time.Now()
				_, _ = w.returns(anna, id)
				w.moment(returned, time.Minute, at)
				_ = w.svc.Overheard(w.ctx, 3, 2)
				w.lasts(time.Minute)
				_ = w.svc.Overheard(w.ctx, 2, 2)
			},
		},
	}
}
