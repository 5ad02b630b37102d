package service

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"nightlatch/grants"
	"nightlatch/grants/ledger"
)

// This file is what happens when the ledger's disk is full: the reserve is given back, so that
// what takes access away can still be recorded, and nothing is opened or issued until there is
// room again.

// Reserve is room on the ledger's disk that is kept for when there is no other.
type Reserve interface {
	// Keep takes the room if it is not taken; an error says that there is too little.
	Keep() error
	// Release gives it back.
	Release() error
}

// room is what is known of the reserve. It is taken and given back by one at a time.
type room struct {
	mu     sync.Mutex
	scarce atomic.Bool // there is no reserve
}

// commit is one transaction of the ledger. Where there is no room for it, the reserve is given
// back and it is tried once more.
func (s *Service) commit(ctx context.Context, f func(*ledger.View) (ledger.Change, error)) error {
	err := s.Ledger.Update(ctx, f)
	if !errors.Is(err, ledger.ErrFull) || s.Reserve == nil {
		return err
	}
	if free := s.giveBack(); free != nil {
		return errors.Join(err, free)
	}
	return s.Ledger.Update(ctx, f)
}

// giveBack gives the reserve back; from then on nothing is opened or issued.
func (s *Service) giveBack() error {
	s.room.mu.Lock()
	defer s.room.mu.Unlock()
	if err := s.Reserve.Release(); err != nil {
		return err
	}
	if !s.room.scarce.Swap(true) {
		s.Log.Error("the ledger's disk is full; the reserve is given back for what takes access away")
		kick(s.alarmKick)
	}
	return nil
}

// tooScarce refuses what opens or issues while there is no reserve.
func (s *Service) tooScarce() *Refusal {
	if !s.room.scarce.Load() {
		return nil
	}
	return &Refusal{Reasons: []grants.Reason{{Code: grants.DiskFull}}}
}

// keepReserve takes the reserve again as soon as there is room for it. Until then somebody is paged.
func (s *Service) keepReserve(ctx context.Context) {
	if s.Reserve == nil {
		return
	}
	s.room.mu.Lock()
	err := s.Reserve.Keep()
	was := s.room.scarce.Swap(err != nil)
	s.room.mu.Unlock()
	switch {
	case err != nil:
		s.raise(ctx, alarm{Cause: causeDisk, Since: s.now(), Summary: "The ledger's disk is nearly full: nothing is opened or issued, and only ends and revocations are still recorded. Free some of it. (" + err.Error() + ")"})
	case was:
		s.Log.Info("there is room on the ledger's disk again")
		s.calm(ctx, causeDisk)
	}
}
