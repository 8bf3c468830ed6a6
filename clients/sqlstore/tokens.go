package sqlstore

import (
	"context"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// tokenPause is the least time between two questions for tokens. Those that come up meanwhile go together: a node looks at the
// token of each of its sessions again and again.
const tokenPause = 20 * time.Millisecond

// tokenReads joins questions for tokens.
type tokenReads struct {
	mu   sync.Mutex
	next *tokenRead // has not begun; nil: there is none
	last time.Time  // when one began last
}

// tokenRead is one question to the database. found and err are written before done is closed.
type tokenRead struct {
	hashes map[[32]byte]struct{}
	done   chan struct{}
	found  map[[32]byte]ownedToken
	err    error
}

type ownedToken struct {
	token ws.Token
	owner ws.User
}

// Token implements ws.Reader. Many calls at about the same time are one statement.
func (s *Store) Token(ctx context.Context, hash [32]byte) (ws.Token, ws.User, error) {
	read, err := s.joinTokens(hash)
	if err != nil {
		return ws.Token{}, ws.User{}, err
	}
	select {
	case <-read.done:
	case <-ctx.Done():
		return ws.Token{}, ws.User{}, unavailable(ctx.Err())
	}
	found, ok := read.found[hash]
	if err := read.err; err != nil || !ok {
		if err == nil {
			err = ws.ErrNotFound
		}
		return ws.Token{}, ws.User{}, err
	}
	return found.token, found.owner, nil
}

// joinTokens adds a token to the next question, and has it asked if nobody did so before.
func (s *Store) joinTokens(hash [32]byte) (*tokenRead, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.leave()
	t := &s.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next == nil {
		t.next = &tokenRead{hashes: map[[32]byte]struct{}{}, done: make(chan struct{}), found: map[[32]byte]ownedToken{}}
		pause := tokenPause - time.Since(t.last)
		s.background.Go(func() { s.readTokens(pause) })
	}
	t.next.hashes[hash] = struct{}{}
	return t.next, nil
}

func (s *Store) readTokens(pause time.Duration) {
	time.Sleep(pause)
	t := &s.tokens
	t.mu.Lock()
	read := t.next
	t.next, t.last = nil, time.Now()
	t.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), s.opt.StatementTimeout)
	defer cancel()
	read.err = s.translate(s.findTokens(ctx, read))
	close(read.done)
}

func (s *Store) findTokens(ctx context.Context, read *tokenRead) error {
	var keys tuples
	for hash := range read.hashes {
		keys.add(hash[:])
	}
	return keys.chunks(func(part tuples) error {
		asked, args := s.dialect.table(tokens.key(1), part)
		rows, err := s.db.QueryContext(ctx, s.dialect.bind("SELECT "+names(tokens.columns, "t.")+", "+names(users.columns[1:], "u.")+
			" FROM "+asked+" AS a JOIN yanlink_tokens AS t ON t.hash = a.hash JOIN yanlink_users AS u ON u.openid = t.openid"), args...)
		return each(rows, err, func(rows scanner) error {
			var t ws.Token
			var u user
			err := rows.Scan(
				hashTo{t.Hash[:]}, &t.OpenID, number(&t.Epoch), number(&t.ExpiresAt), &u.Name, number(&u.FirstSeen), number(&u.LastSeen),
				number(&u.TokenEpoch), number(&u.revokedAt), &u.Banned,
			)
			u.OpenID = t.OpenID
			read.found[t.Hash] = ownedToken{t, u.User}
			return err
		})
	})
}
