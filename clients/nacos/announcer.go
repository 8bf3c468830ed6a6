package nacos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

// Announcer keeps one instance announced, as long as it runs. Known and Drain may be called at any time and at the same time, Start and Close one after the other.
type Announcer struct {
	client   *client
	instance Instance
	log      *slog.Logger

	end     context.CancelFunc
	running sync.WaitGroup
	now     chan struct{} // asks for an announcement before its time

	draining atomic.Bool
	known    atomic.Bool // the last announcement was taken
}

// New builds an Announcer, which is to be started.
func New(server Server, instance Instance, log *slog.Logger) (*Announcer, error) {
	if err := errors.Join(server.complete(), instance.complete()); err != nil {
		return nil, err
	}
	return &Announcer{client: newClient(server), instance: instance, log: log, now: make(chan struct{}, 1)}, nil
}

// Start begins to announce the instance and returns at once, whether or not Nacos answers. It is called once.
func (a *Announcer) Start() {
	ctx, end := context.WithCancel(context.Background())
	a.end = end
	a.running.Go(func() { a.run(ctx) })
}

// Known reports whether Nacos has taken the last announcement.
func (a *Announcer) Known() bool { return a.known.Load() }

// Drain lets the weight fall to 0, so that nobody new is sent here. It returns at once.
func (a *Announcer) Drain() {
	a.draining.Store(true)
	select {
	case a.now <- struct{}{}:
	default:
	}
}

// Close takes the instance out, within ctx; what is not taken out, Nacos forgets by itself. It is a no-op where Start was
// not called, and the second time.
func (a *Announcer) Close(ctx context.Context) error {
	defer a.client.close()
	if a.end == nil {
		return nil
	}
	a.end()
	a.running.Wait() // at once: its calls have ended
	a.end = nil
	a.known.Store(false)
	if _, err := a.client.call(ctx, http.MethodDelete, "/ns/instance", a.address()); err != nil {
		return fmt.Errorf("nacos: take the node out: %w", err)
	}
	return nil
}

// run announces the instance until ctx ends: in full at first, after a failure and when the weight has fallen, else by a
// sign of life.
func (a *Announcer) run(ctx context.Context) {
	ticker := time.NewTicker(a.instance.Beat)
	defer ticker.Stop()
	told := false // what stands in Nacos is what is to stand there
	for {
		err := a.announce(ctx, told)
		if ctx.Err() != nil {
			return
		}
		a.say(err)
		told = err == nil
		select {
		case <-ctx.Done():
			return
		case <-a.now:
			told = false
		case <-ticker.C:
		}
	}
}

// say notes how an announcement went, and logs what has changed.
func (a *Announcer) say(err error) {
	switch was := a.known.Swap(err == nil); {
	case err != nil && was:
		a.log.Warn("nacos does not take the node's sign of life; it serves on, and is announced again by itself", "error", err)
	case err != nil:
		a.log.Debug("nacos does not know the node yet", "error", err)
	case !was:
		a.log.Info("nacos knows the node", "service", a.instance.Service, "address", a.instance.Address)
	}
}

func (a *Announcer) announce(ctx context.Context, told bool) error {
	if told {
		known, err := a.beat(ctx)
		if known || err != nil {
			return err
		}
	}
	return a.register(ctx)
}

func (a *Announcer) register(ctx context.Context) error {
	metadata, err := json.Marshal(a.metadata())
	if err != nil {
		return err
	}
	values := a.address()
	values.Set("weight", strconv.Itoa(a.weight()))
	values.Set("metadata", string(metadata))
	values.Set("enabled", "true")
	values.Set("healthy", "true")
	_, err = a.client.call(ctx, http.MethodPost, "/ns/instance", values)
	return err
}

// beatOK is the code by which a server says that it knows the instance.
const beatOK = 10200

// beat gives a sign of life. A server that has forgotten the instance says so, or takes it from the sign.
func (a *Announcer) beat(ctx context.Context) (known bool, err error) {
	i := a.instance
	sign, err := json.Marshal(map[string]any{
		"ip": i.ip, "port": i.port, "weight": a.weight(), "metadata": a.metadata(), "cluster": "DEFAULT", "scheduled": false,
		"serviceName": a.client.server.Group + "@@" + i.Service,
	})
	if err != nil {
		return false, err
	}
	values := a.address()
	values.Set("beat", string(sign))
	said, err := a.client.call(ctx, http.MethodPut, "/ns/instance/beat", values)
	if err != nil {
		return false, err
	}
	var answer struct {
		Code int `json:"code"`
	}
	if err := json.Unmarshal([]byte(said), &answer); err != nil {
		return false, fmt.Errorf("its answer to a sign of life cannot be read: %w", err)
	}
	return answer.Code == beatOK, nil
}

func (a *Announcer) address() url.Values {
	server := a.client.server
	return url.Values{
		"serviceName": {a.instance.Service}, "groupName": {server.Group}, "namespaceId": {server.Namespace},
		"ip": {a.instance.ip}, "port": {strconv.Itoa(a.instance.port)}, "clusterName": {"DEFAULT"}, "ephemeral": {"true"},
	}
}

func (a *Announcer) weight() int {
	if a.draining.Load() {
		return 0
	}
	return 1
}

// metadata is what was given, and whether the node drains.
func (a *Announcer) metadata() map[string]string {
	all := maps.Clone(a.instance.Metadata)
	if all == nil {
		all = make(map[string]string)
	}
	all["draining"] = strconv.FormatBool(a.draining.Load())
	return all
}
