package client

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// pageOf is how many items a page of REST has; some of the histories are longer.
const pageOf = 100

// listed is a page of conversations or of a history.
type listed struct {
	Items []struct {
		fields
		Kind string `json:"kind"`
		From person `json:"from"`
	} `json:"items"`
	Next string `json:"next"`
}

// ReadHistory reads by REST all conversations of this device's user from their beginnings, and notes what stands there.
func (d *Device) ReadHistory(ctx context.Context) error {
	var conversations []string
	err := d.pages(ctx, "/api/v1/conversations", nil, func(page *listed) {
		for i := range page.Items {
			conversations = append(conversations, page.Items[i].ConversationID)
		}
	})
	if err != nil {
		return err
	}
	for _, id := range conversations {
		err := d.pages(ctx, "/api/v1/conversations/"+id+"/messages", url.Values{"after": {"0"}}, func(page *listed) {
			for i := range page.Items {
				item := &page.Items[i]
				d.Log.Add(history.Event{
					Kind: history.Read, Device: d.Device, Position: history.Position{Conversation: id, Seq: item.Seq},
					From: string(item.From), MsgID: item.MsgID, Body: item.Message, Note: item.Kind,
				})
			}
		})
		if err != nil {
			return err
		}
	}
	d.Log.Add(history.Event{Kind: history.ReadAll, Device: d.Device})
	return nil
}

// pages reads a list to its end.
func (d *Device) pages(ctx context.Context, path string, query url.Values, take func(*listed)) error {
	if query == nil {
		query = url.Values{}
	}
	query.Set("limit", fmt.Sprint(pageOf))
	for {
		var page listed
		status, err := d.call(ctx, http.MethodGet, path+"?"+query.Encode(), http.Header{}, nil, &page)
		if err != nil || status != http.StatusOK {
			return fmt.Errorf("read %s: status %d, %w", path, status, err)
		}
		take(&page)
		if page.Next == "" {
			return nil
		}
		query.Set("cursor", page.Next)
	}
}
