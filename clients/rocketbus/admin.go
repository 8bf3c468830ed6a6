package rocketbus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"time"
)

const (
	nameServerTimeout = time.Second // of one name server, before the next one is asked
	brokerTimeout     = 3 * time.Second
	routeInterval     = 20 * time.Millisecond // between looks for the route of a topic just made
)

// admin knows and changes which topics and groups there are.
type admin struct {
	remoting
	nameServers []string
}

func newAdmin(opt Options) *admin {
	return &admin{remoting: remoting{accessKey: opt.AccessKey, secretKey: opt.SecretKey}, nameServers: opt.NameServers}
}

// askNameServer asks one name server after the other until one answers: they all know the same.
func (a *admin) askNameServer(ctx context.Context, req request, answer any) error {
	var failures []error
	for _, addr := range a.nameServers {
		body, err := a.ask(ctx, addr, req, nameServerTimeout)
		switch {
		case err == nil:
			return parse(body, answer)
		case errors.Is(err, errNoTopic):
			return err
		}
		failures = append(failures, err)
	}
	return fmt.Errorf("no name server answers: %w", errors.Join(failures...))
}

// bareKey is a number as a key of JSON, which some servers write without quotes.
var bareKey = regexp.MustCompile(`([{,])(\d+):`)

func parse(body []byte, into any) error {
	if err := json.Unmarshal(bareKey.ReplaceAll(body, []byte(`$1"$2":`)), into); err != nil {
		return fmt.Errorf("a name server's answer: %w", err)
	}
	return nil
}

// broker is a broker group as a name server knows it.
type broker struct {
	Addresses map[string]string `json:"brokerAddrs"` // by id
}

// writable returns the addresses of the masters, the brokers that are written to.
func writable(groups ...broker) (addrs []string) {
	for _, group := range groups {
		if addr := group.Addresses["0"]; addr != "" {
			addrs = append(addrs, addr)
		}
	}
	slices.Sort(addrs)
	return addrs
}

// route returns the addresses of the brokers that have a topic, at least one, or errNoTopic.
func (a *admin) route(ctx context.Context, topic string) ([]string, error) {
	var found struct {
		Brokers []broker `json:"brokerDatas"`
	}
	if err := a.askNameServer(ctx, request{code: askRoute, fields: map[string]string{"topic": topic}}, &found); err != nil {
		return nil, err
	}
	addrs := writable(found.Brokers...)
	if len(addrs) == 0 {
		return nil, errNoTopic
	}
	return addrs, nil
}

// brokers returns the addresses of all brokers, at least one.
func (a *admin) brokers(ctx context.Context) ([]string, error) {
	var found struct {
		Brokers map[string]broker `json:"brokerAddrTable"`
	}
	if err := a.askNameServer(ctx, request{code: askCluster}, &found); err != nil {
		return nil, err
	}
	var addrs []string
	for _, group := range found.Brokers {
		addrs = append(addrs, writable(group)...)
	}
	if len(addrs) == 0 {
		return nil, errors.New("the name server knows no broker")
	}
	return addrs, nil
}

// topics returns the names of all topics.
func (a *admin) topics(ctx context.Context) ([]string, error) {
	var found struct {
		Topics []string `json:"topicList"`
	}
	err := a.askNameServer(ctx, request{code: askAllTopics}, &found)
	return found.Topics, err
}

// askBrokers asks each broker the same and returns those that answered, at least one. The rest is down.
func (a *admin) askBrokers(ctx context.Context, addrs []string, req request) (answered []string, err error) {
	var failures []error
	for _, addr := range addrs {
		if _, err := a.ask(ctx, addr, req, brokerTimeout); err != nil {
			failures = append(failures, err)
			continue
		}
		answered = append(answered, addr)
	}
	if len(answered) == 0 {
		return nil, errors.Join(failures...)
	}
	return answered, nil
}

// pingOf is a question that a broker answers from memory.
func pingOf(topic string) request {
	return request{code: askMaxOffset, fields: map[string]string{"topic": topic, "queueId": "0"}}
}

// createTopic makes a topic, or changes it to so many queues, and returns when senders can find it.
func (a *admin) createTopic(ctx context.Context, topic string, queues int) error {
	addrs, err := a.brokers(ctx)
	if err != nil {
		return err
	}
	_, err = a.askBrokers(ctx, addrs, request{code: askCreateTopic, fields: map[string]string{
		"topic":           topic,
		"defaultTopic":    "TBW102", // required, and nothing
		"readQueueNums":   strconv.Itoa(queues),
		"writeQueueNums":  strconv.Itoa(queues),
		"perm":            "6", // to be read and written
		"topicFilterType": "SINGLE_TAG",
		"topicSysFlag":    "0",
		"order":           "false",
	}})
	if err != nil {
		return fmt.Errorf("create topic %s: %w", topic, err)
	}
	return a.awaitRoute(ctx, topic)
}

func (a *admin) awaitRoute(ctx context.Context, topic string) error {
	ctx, cancel := context.WithTimeout(ctx, brokerTimeout)
	defer cancel()
	for {
		_, err := a.route(ctx, topic)
		if !errors.Is(err, errNoTopic) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("topic %s was made, but the name server does not know it yet", topic)
		case <-time.After(routeInterval):
		}
	}
}

// createGroup makes a consumer group.
func (a *admin) createGroup(ctx context.Context, group string) error {
	addrs, err := a.brokers(ctx)
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]string{"groupName": group})
	if err != nil {
		return err
	}
	if _, err := a.askBrokers(ctx, addrs, request{code: askCreateGroup, body: config}); err != nil {
		return fmt.Errorf("create group %s: %w", group, err)
	}
	return nil
}
