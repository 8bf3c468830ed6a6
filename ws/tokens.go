package ws

// tokenBatch is how many tokens are looked through at a time.
const tokenBatch = 500

// tokenPass forgets tokens that nobody has shown for TokenRetention. Each node does: what another has forgotten already is
// passed over.
type tokenPass struct {
	g     *Gateway
	after [32]byte
}

func newTokenPass(g *Gateway) *retention {
	return newRetention(g, "tokens", g.opt.TokenRetention, (&tokenPass{g: g}).look)
}

func (p *tokenPass) look() (done bool, err error) {
	ctx, cancel := p.g.readContext()
	defer cancel()
	tokens, err := p.g.store.Tokens(ctx, p.after, tokenBatch)
	if err != nil {
		return false, err
	}
	var ops []Op
	before := p.g.now() - millis(p.g.opt.TokenRetention)
	for i := range tokens {
		if tokens[i].ExpiresAt < before {
			ops = append(ops, &DropToken{Hash: tokens[i].Hash, OpenID: tokens[i].OpenID, Before: before})
		}
		p.after = tokens[i].Hash
	}
	if len(ops) > 0 {
		err = p.g.store.Commit(ctx, ops)
	}
	if len(tokens) == tokenBatch || err != nil {
		return false, err
	}
	p.after = [32]byte{}
	return true, nil
}
