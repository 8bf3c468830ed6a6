package handlers

import (
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// historyItem is one position of a conversation. One that is passed over comes without content: a message that was
// recalled or has expired says whose it was and when, a recall, which shows in what it recalled, is seq and kind alone.
type historyItem struct {
	Seq       uint64    `json:"seq"`
	Kind      string    `json:"kind"`
	MessageID string    `json:"messageId,omitempty"`
	From      *person   `json:"from,omitempty"`
	Message   *string   `json:"message,omitempty"`
	FileType  string    `json:"fileType,omitempty"` // a string, as receivers get it in frames
	MsgID     string    `json:"msgid,omitempty"`
	User      string    `json:"user,omitempty"` // who joined or left
	Name      string    `json:"name,omitempty"` // the new one
	At        ws.Millis `json:"at,omitempty"`
}

// span is which part of a history is asked for.
type span struct{ before, after uint64 }

// history serves GET /conversations/{id}/messages.
func (a *API) history(c *gin.Context, who caller) error {
	id, err := protocol.ParseConversationID(c.Param("id"))
	if err != nil {
		return protocol.FieldError(protocol.BadField, "conversationId", err.Error())
	}
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	pages := a.cursorsOf("history", id.String())
	asked, err := spanOf(c, pages)
	if err != nil {
		return err
	}
	records, next, err := a.engine.History(c.Request.Context(), a.viewer(who), id, asked.before, asked.after, limit)
	if err != nil {
		return err
	}
	items := make([]historyItem, len(records))
	for i := range records {
		items[i] = historyItemOf(&records[i])
	}
	return page(c, items, pages.next(asked.place(next)))
}

// spanOf reads before, after and cursor. A first page's before or after may still stand beside the cursor, which goes on from
// where that page ended.
func spanOf(c *gin.Context, pages *cursors) (s span, err error) {
	before, after := c.Query("before"), c.Query("after")
	if before != "" && after != "" {
		return s, protocol.FieldError(protocol.BadField, "after", "give before or after, not both")
	}
	place, err := pages.place(c)
	switch {
	case err != nil:
		return s, err
	case place != "":
		return spanAt(place)
	case after != "":
		if s.after, err = seqOf("after", after); s.after == 0 {
			s.after = ws.FromStart
		}
	case before != "":
		if s.before, err = seqOf("before", before); err == nil && s.before == 0 {
			err = protocol.FieldError(protocol.BadField, "before", "positions begin at 1")
		}
	}
	return s, err
}

// spanAt is where place says that a page begins.
func spanAt(place string) (s span, err error) {
	seq, err := strconv.ParseUint(place[1:], 10, 64)
	switch {
	case err == nil && place[0] == 'a':
		return span{after: seq}, nil
	case err == nil && place[0] == 'b':
		return span{before: seq}, nil
	}
	return s, badCursor() // another release gave it out
}

// place is where the page that follows begins; empty at the end.
func (s span) place(next uint64) string {
	switch {
	case next == 0:
		return ""
	case s.after != 0:
		return "a" + strconv.FormatUint(next, 10)
	default:
		return "b" + strconv.FormatUint(next, 10)
	}
}

func historyItemOf(h *ws.HistoryItem) historyItem {
	rec := &h.Record
	item := historyItem{Seq: rec.Seq, Kind: h.Kind}
	if rec.Kind == ws.KindRecall {
		return item
	}
	item.MessageID = rec.ID().String()
	item.From = &person{OpenID: rec.Sender, UserName: h.FromName}
	item.At = rec.CreatedAt
	item.User = rec.Subject
	switch h.Kind {
	case "message":
		item.Message = &rec.Body
		item.FileType = strconv.Itoa(int(rec.FileType))
		item.MsgID = rec.MsgID
	case "renamed":
		item.Name = rec.Body
	}
	return item
}
