package web

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"

	"salus/dicom/index"
	"salus/dicom/jsonmodel"
	"salus/dicom/worklist"
	"salus/fault"
)

// aeTitle is the application in the path (PS3.5 §6.2, AE).
func (c *call) aeTitle() (string, error) {
	t := strings.TrimSpace(c.PathValue("ae"))
	if t == "" || len(t) > 16 || strings.ContainsFunc(t, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' }) {
		return "", fault.New(fault.Invalid, "the subscriber in the path is no AE title (PS3.5 §6.2)")
	}
	return t, nil
}

// subscription reads who subscribes to what.
func (c *call) subscription() (workitem, aeTitle string, err error) {
	if workitem, err = c.workitem(); err != nil {
		return "", "", err
	}
	aeTitle, err = c.aeTitle()
	return workitem, aeTitle, err
}

// subscribe is Subscribe (PS3.18 §11.10).
func (s *server) subscribe(w http.ResponseWriter, c *call) error {
	workitem, aeTitle, err := c.subscription()
	if err != nil {
		return err
	}
	q, err := c.workitemQuery()
	if err != nil {
		return err
	}
	if workitem != worklist.Filtered && len(q.Matches) > 0 {
		return fault.New(fault.Invalid, "only a subscription to %s has a filter", worklist.Filtered)
	}
	sub := index.Subscription{Workitem: workitem, AETitle: aeTitle, DeletionLock: strings.EqualFold(c.URL.Query().Get("deletionlock"), "true")}
	if err := s.Worklist.Subscribe(c.Context(), c.partition, sub, q.Matches); err != nil {
		return err
	}
	// http becomes ws, and https wss.
	w.Header().Set("Content-Location", strings.Replace(c.base, "http", "ws", 1)+"/subscribers/"+aeTitle)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// unsubscribe is Unsubscribe (PS3.18 §11.11).
func (s *server) unsubscribe(w http.ResponseWriter, c *call) error {
	workitem, aeTitle, err := c.subscription()
	if err != nil {
		return err
	}
	return s.Worklist.Unsubscribe(c.Context(), c.partition, workitem, aeTitle)
}

// suspend is Suspend Global Subscription (PS3.18 §11.12).
func (s *server) suspend(w http.ResponseWriter, c *call) error {
	workitem, aeTitle, err := c.subscription()
	if err != nil {
		return err
	}
	if workitem != worklist.Global && workitem != worklist.Filtered {
		return fault.New(fault.Invalid, "only a global subscription can be suspended")
	}
	return s.Worklist.Suspend(c.Context(), c.partition, workitem, aeTitle)
}

// pinging is how often a silent connection is asked whether its client is still there.
const pinging = 30 * time.Second

// listen is Open Event Channel (PS3.18 §8.10): it sends reports of events until the client goes.
func (s *server) listen(w http.ResponseWriter, c *call) error {
	aeTitle, err := c.aeTitle()
	if err != nil {
		return err
	}
	l, err := s.Worklist.Listen(c.partition, aeTitle)
	if err != nil {
		return err
	}
	defer l.Close()
	conn, err := websocket.Accept(w, c.Request, nil)
	if err != nil {
		return nil // the library has answered what is wrong with the handshake
	}
	defer conn.CloseNow()
	ctx := conn.CloseRead(c.Context())
	tick := time.NewTicker(pinging)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.Ended:
			conn.Close(websocket.StatusGoingAway, "the server stops") // whether the client hears it or not
			return nil
		case <-tick.C:
			if err := limited(ctx, conn.Ping); err != nil {
				return nil // the client is gone
			}
		case d, ok := <-l.Reports:
			if !ok {
				conn.Close(websocket.StatusPolicyViolation, "the client reads too slowly")
				return nil
			}
			text := jsonmodel.Append(nil, d, jsonmodel.Options{})
			if err := limited(ctx, func(ctx context.Context) error { return conn.Write(ctx, websocket.MessageText, text) }); err != nil {
				return nil // the client is gone
			}
		}
	}
}

// limited calls f with a time that is enough for a client that is there.
func limited(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return f(ctx)
}
