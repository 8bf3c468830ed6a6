package app

import (
	"errors"

	"github.com/yanlink/yanlink/configs"
)

// Check returns everything for which NewServer would refuse a configuration, as a configs.Problems, or nil. It opens
// nothing: a folder or port that is taken shows at Start only.
func Check(cfg *configs.Config, opts ...Option) error {
	b := &Bundle{cfg: cfg}
	asServer("")(&b.opt)
	for _, opt := range opts {
		opt(&b.opt)
	}
	return b.check()
}

// check returns all that is wrong with the configuration.
func (b *Bundle) check() error {
	var problems configs.Problems
	if err := b.cfg.Validate(); err != nil && !errors.As(err, &problems) {
		return err
	}
	if err := b.canCheckTokens(); err != nil {
		problems = append(problems, err.Error())
	}
	if len(problems) == 0 {
		return nil
	}
	return problems
}
