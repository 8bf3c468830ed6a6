package pebblestore

import "context"

// checkpointOf is where in the ledger's folder a backup begins: on the same file system, so that tables only have to be
// linked while commits wait, and under a name that the folder may have in it.
func checkpointOf(opt *Options) string { return opt.FS.PathJoin(opt.Dir, "temporary.backup") }

// checkpoint has the database put what it holds into the folder to. It has the turn meanwhile: of a log that grows while it
// is copied, Pebble may copy a later block and not the one before it.
func (s *Store) checkpoint(ctx context.Context, to string) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer func() { s.turn <- struct{}{} }()
	if s.writer == nil {
		return s.reason()
	}
	if err := s.space.check(&s.opt); err != nil {
		return err
	}
	d, done := s.db, make(chan error, 1)
	go func() { done <- guard(func() error { return d.Checkpoint(to) }) }()
	select {
	case err := <-done:
		return err
	case <-d.failed: // it may never answer, and the next opening must not wait for it
		return unavailable(d.err)
	}
}
