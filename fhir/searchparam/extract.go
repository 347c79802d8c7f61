package searchparam

type extraction struct{}
