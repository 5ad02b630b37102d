package service

import (
	"sync"
	"time"
)

// pulse is when each lane of the sweep last got on, and since when each piece of work is
// being done. Its times keep their monotonic part, so that a jump of the wall clock looks
// like nobody's death.
type pulse struct {
	mu    sync.Mutex
	times map[string]time.Time // by lane, and by lane and grant while a worker has it
}

func (p *pulse) beat(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.times == nil {
		p.times = map[string]time.Time{}
	}
	p.times[what] = time.Now()
}

// begin is of a piece of work; what it returns ends it.
func (p *pulse) begin(work string) (end func()) {
	p.beat(work)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.times, work)
	}
}

// Stuck is how old Alive can only be in a service that does not get on.
const Stuck = time.Minute

// Alive is when the part of the sweep that is furthest behind last got on: a lane that looks
// for work, or a worker that began some; zero before Run. A call that fails is an end too: a
// dead target is no reason to take the process for dead. While all is well it is at most
// as old as the longest call to an issuer, some ten seconds.
func (s *Service) Alive() time.Time {
	s.pulse.mu.Lock()
	defer s.pulse.mu.Unlock()
	var oldest time.Time
	for _, at := range s.pulse.times {
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	return oldest
}
