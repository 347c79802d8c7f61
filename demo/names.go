package demo

// Names are put together from parts, so that a few lines make some thousands,
// with the accents that real registers have.
var (
	familyHeads = []string{
		"Ash", "Birk", "Brook", "Cal", "Corn", "Dal", "Dun", "Ever", "Fair", "Fen", "Gar", "Glen", "Hal", "Harg", "Hol",
		"Kel", "Kirk", "Lang", "Lin", "Lock", "Mar", "Mer", "Nor", "Oak", "Pen", "Quil", "Rad", "Ros", "Sand", "Sel",
		"Stan", "Thorn", "Til", "Under", "Wal", "West", "Win", "Yar", "Grün", "Núñ", "Lév", "Søn",
	}
	familyTails = []string{
		"ley", "ford", "well", "by", "ton", "wick", "more", "man", "son", "field", "wood", "berg", "stad", "hurst", "croft",
		"bank", "low", "dal", "mark", "ez", "ström", "eau", "gate", "water", "rup",
	}
	womenNames = []string{
		"Ada", "Alma", "Anouk", "Beatriz", "Carla", "Chloé", "Dagny", "Edith", "Elif", "Esme", "Farah", "Greta", "Hana", "Ida",
		"Inés", "Jana", "Joan", "Kira", "Lea", "Lidia", "Maren", "Mina", "Nadia", "Noor", "Olga", "Paula", "Petra", "Rosa",
		"Runa", "Sara", "Signe", "Tessa", "Thea", "Ursula", "Vera", "Wanda", "Yuki", "Zoë",
	}
	menNames = []string{
		"Adam", "Akira", "Albin", "André", "Anton", "Boris", "Carl", "Cem", "Daniel", "Diego", "Emil", "Erik", "Felix", "Frans",
		"Georg", "Hugo", "Ivan", "Jakob", "Jens", "José", "Karim", "Leon", "Luca", "Marek", "Milo", "Nils", "Omar", "Oskar",
		"Paul", "Pierre", "Rafael", "René", "Samir", "Simon", "Stefan", "Theo", "Tomas", "Viktor",
	}
	streetHeads = []string{
		"Mill", "Church", "Station", "Harbour", "Linden", "Orchard", "River", "Castle", "Bridge", "Market", "Chapel", "Garden",
		"North", "Quarry", "School", "Tanner", "Weaver", "Willow", "Hill", "Abbey",
	}
	streetTails = []string{"Street", "Lane", "Road", "Row", "Way", "Close", "Avenue", "Square"}
	siteKinds   = []string{"General Hospital", "Medical Centre", "Family Practice", "Health Centre", "Clinic", "Surgery"}
)

type town struct{ name, state, code string }

var towns = []town{
	{"Aldermouth", "Northmark", "10110"}, {"Bexcombe", "Northmark", "10240"}, {"Carrowick", "Northmark", "10380"},
	{"Dunhaven", "Northmark", "10410"}, {"Eastmere", "Northmark", "10560"}, {"Farrowdale", "Eastvale", "20110"},
	{"Glimsby", "Eastvale", "20230"}, {"Hartlow", "Eastvale", "20350"}, {"Ingleport", "Eastvale", "20470"},
	{"Jorvale", "Eastvale", "20590"}, {"Kestrelford", "Southmere", "30120"}, {"Lowenbrück", "Southmere", "30240"},
	{"Marrowby", "Southmere", "30360"}, {"Nethering", "Southmere", "30480"}, {"Ostrava Bay", "Southmere", "30510"},
	{"Pellworth", "Westholt", "40130"}, {"Quillhaven", "Westholt", "40250"}, {"Roskirk", "Westholt", "40370"},
	{"Saltmarsh", "Westholt", "40490"}, {"Tarnwick", "Westholt", "40510"}, {"Ulverby", "Westholt", "40630"},
	{"Vessing", "Highmoor", "50140"}, {"Wyncombe", "Highmoor", "50260"}, {"Yarrowgate", "Highmoor", "50380"},
}
