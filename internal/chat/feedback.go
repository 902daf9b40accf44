package chat

// Rating is what a customer thinks of an answer.
type Rating string

const (
	Up   Rating = "up"
	Down Rating = "down"
)

// Feedback is a customer's rating of the answer of a turn. A newer one replaces it.
type Feedback struct {
	Turn   TurnID
	Rating Rating
	Reason string // one of FeedbackReasons, or ""
	Text   Text   // in the customer's own words, or ""
}

// FeedbackReasons are the words that a customer may choose from to say what was wrong.
var FeedbackReasons = []string{"wrong", "incomplete", "off_topic", "hard_to_read", "other"}

// CSAT says how satisfied a customer was with a whole conversation.
type CSAT struct {
	Score int // 1 to 5, the best
	Text  Text
}

// Opinions is what a customer said of a conversation.
type Opinions struct {
	Feedback []Feedback // oldest rating first
	CSAT     *CSAT      // or nil
}

// ReadMarks are the numbers of the last events that each side has seen; 0: none.
type ReadMarks struct {
	Customer int64 `json:"customer"`
	Agent    int64 `json:"agent"`
}
