package demo

// The code systems in use.
const (
	snomed = "http://snomed.info/sct"
	loinc  = "http://loinc.org"
	ucum   = "http://unitsofmeasure.org"
	rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
	cvx    = "http://hl7.org/fhir/sid/cvx"

	idTypes       = "http://terminology.hl7.org/CodeSystem/v2-0203"
	clinical      = "http://terminology.hl7.org/CodeSystem/condition-clinical"
	verification  = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
	observing     = "http://terminology.hl7.org/CodeSystem/observation-category"
	actCodes      = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
	interpreting  = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
	maritalStatus = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
)

var specialties = []coding{
	{snomed, "394814009", "General practice"}, {snomed, "394802001", "General medicine"}, {snomed, "394814009", "General practice"},
	{snomed, "394537008", "Pediatric specialty"}, {snomed, "394579002", "Cardiology"}, {snomed, "394583002", "Endocrinology"},
	{snomed, "394801008", "Trauma and orthopedics"}, {snomed, "394609007", "Surgery-general"},
}

// A purpose is what an encounter is for.
type purpose struct {
	class   coding
	reason  coding
	minutes int
	cents   int // of the bill
}

var (
	ambulatory = coding{actCodes, "AMB", "ambulatory"}
	emergency  = coding{actCodes, "EMER", "emergency"}
	inpatient  = coding{actCodes, "IMP", "inpatient encounter"}

	checkUp   = purpose{ambulatory, coding{snomed, "185349003", "Encounter for check up"}, 30, 8_550}
	symptom   = purpose{ambulatory, coding{snomed, "185345009", "Encounter for symptom"}, 20, 6_490}
	problem   = purpose{ambulatory, coding{snomed, "185347001", "Encounter for problem"}, 20, 7_125}
	followUp  = purpose{ambulatory, coding{snomed, "390906007", "Follow-up encounter"}, 15, 5_980}
	accident  = purpose{emergency, coding{snomed, "50849002", "Emergency room admission"}, 140, 31_200}
	admission = purpose{inpatient, coding{snomed, "183452005", "Encounter Inpatient"}, 4 * 24 * 60, 240_000}
)

// An illness is a diagnosis with what usually follows from it.
type illness struct {
	code      coding
	from      int // age in years from which on it occurs
	percent   int // of check-ups at which a chronic one is found
	days      int // an acute one lasts
	drugs     []coding
	procedure coding
	plan      coding
	advice    []coding
}

var (
	exercise    = coding{snomed, "229065009", "Exercise therapy"}
	diet        = coding{snomed, "160670007", "Diabetic diet"}
	healthyDiet = coding{snomed, "226234005", "Healthy diet"}
	rest        = coding{snomed, "229586001", "Rest, ice, compression and elevation treatment programme"}
	stretching  = coding{snomed, "229070002", "Stretching exercises"}
	breathing   = coding{snomed, "371605008", "Deep breathing and coughing exercises"}
	noSmoke     = coding{snomed, "710081004", "Smoking cessation therapy"}
	dressing    = coding{snomed, "385949008", "Dressing change management"}
)

var chronic = []illness{
	{code: coding{snomed, "38341003", "Hypertension"}, from: 35, percent: 9,
		drugs:     []coding{{rxnorm, "314076", "lisinopril 10 MG Oral Tablet"}, {rxnorm, "316049", "Hydrochlorothiazide 25 MG"}, {rxnorm, "308136", "amLODIPine 2.5 MG Oral Tablet"}},
		procedure: coding{snomed, "164847006", "Standard ECG"},
		plan:      coding{snomed, "443402002", "Lifestyle education regarding hypertension"}, advice: []coding{healthyDiet, exercise}},
	{code: coding{snomed, "55822004", "Hyperlipidemia"}, from: 30, percent: 7,
		drugs:  []coding{{rxnorm, "316672", "Simvastatin 10 MG"}, {rxnorm, "259255", "atorvastatin 80 MG Oral Tablet"}},
		plan:   coding{snomed, "736285004", "Hyperlipidemia clinical management plan"},
		advice: []coding{healthyDiet}},
	{code: coding{snomed, "15777000", "Prediabetes"}, from: 25, percent: 5},
	{code: coding{snomed, "44054006", "Diabetes mellitus type 2"}, from: 40, percent: 5,
		drugs:     []coding{{rxnorm, "860975", "24 HR Metformin hydrochloride 500 MG Extended Release Oral Tablet"}, {rxnorm, "106892", "insulin human, isophane 70 UNT/ML / Regular Insulin, Human 30 UNT/ML Injectable Suspension [Humulin]"}},
		procedure: coding{snomed, "134395001", "Diabetic retinopathy screening"},
		plan:      coding{snomed, "698360004", "Diabetes self management plan"}, advice: []coding{diet, exercise}},
	{code: coding{snomed, "162864005", "Body mass index 30+ - obesity"}, from: 16, percent: 5},
	{code: coding{snomed, "195967001", "Asthma"}, from: 3, percent: 3,
		drugs:     []coding{{rxnorm, "745679", "200 ACTUAT Albuterol 0.09 MG/ACTUAT Metered Dose Inhaler"}, {rxnorm, "895994", "120 ACTUAT Fluticasone propionate 0.044 MG/ACTUAT Metered Dose Inhaler"}},
		procedure: coding{snomed, "127783003", "Spirometry"},
		plan:      coding{snomed, "699728000", "Asthma self management"}, advice: []coding{noSmoke}},
	{code: coding{snomed, "271737000", "Anemia"}, from: 12, percent: 3, drugs: []coding{{rxnorm, "310325", "ferrous sulfate 325 MG Oral Tablet"}}},
	{code: coding{snomed, "239873007", "Osteoarthritis of knee"}, from: 50, percent: 4,
		drugs: []coding{{rxnorm, "849574", "Naproxen sodium 220 MG Oral Tablet"}},
		plan:  coding{snomed, "872781000000100", "Musculoskeletal care"}, advice: []coding{exercise, stretching}},
	{code: coding{snomed, "53741008", "Coronary heart disease"}, from: 55, percent: 3,
		drugs:     []coding{{rxnorm, "309362", "Clopidogrel 75 MG Oral Tablet"}, {rxnorm, "705129", "Nitroglycerin 0.4 MG/ACTUAT Mucosal Spray"}},
		procedure: coding{snomed, "433236007", "Transthoracic echocardiography"}},
	{code: coding{snomed, "35489007", "Depressive disorder"}, from: 15, percent: 3, drugs: []coding{{rxnorm, "312938", "sertraline 100 MG Oral Tablet"}},
		procedure: coding{snomed, "171207006", "Depression screening"}},
	{code: coding{snomed, "40055000", "Chronic sinusitis"}, from: 8, percent: 2},
	{code: coding{snomed, "431855005", "Chronic kidney disease stage 1"}, from: 60, percent: 2},
	{code: coding{snomed, "49436004", "Atrial fibrillation"}, from: 62, percent: 2,
		drugs:     []coding{{rxnorm, "855332", "Warfarin Sodium 5 MG Oral Tablet"}, {rxnorm, "197604", "Digoxin 0.125 MG Oral Tablet"}},
		procedure: coding{snomed, "180325003", "Electrical cardioversion"}},
	{code: coding{snomed, "64859006", "Osteoporosis"}, from: 60, percent: 2, drugs: []coding{{rxnorm, "904419", "Alendronic acid 10 MG Oral Tablet"}},
		procedure: coding{snomed, "312681000", "Bone density scan"}},
}

var acute = []illness{
	{code: coding{snomed, "444814009", "Viral sinusitis"}, days: 14, drugs: []coding{{rxnorm, "562251", "Amoxicillin 250 MG / Clavulanate 125 MG Oral Tablet"}}},
	{code: coding{snomed, "195662009", "Acute viral pharyngitis"}, days: 8, procedure: coding{snomed, "117015009", "Throat culture"}},
	{code: coding{snomed, "10509002", "Acute bronchitis"}, days: 12, drugs: []coding{{rxnorm, "313782", "Acetaminophen 325 MG Oral Tablet"}},
		procedure: coding{snomed, "23426006", "Measurement of respiratory function"},
		plan:      coding{snomed, "53950000", "Respiratory therapy"}, advice: []coding{breathing}},
	{code: coding{snomed, "43878008", "Streptococcal sore throat"}, days: 10, drugs: []coding{{rxnorm, "834061", "Penicillin V Potassium 250 MG Oral Tablet"}},
		procedure: coding{snomed, "117015009", "Throat culture"}},
	{code: coding{snomed, "65363002", "Otitis media"}, days: 20, drugs: []coding{{rxnorm, "308182", "Amoxicillin 250 MG Oral Capsule"}, {rxnorm, "282464", "Acetaminophen 160 MG Oral Tablet"}}},
	{code: coding{snomed, "301011002", "Escherichia coli urinary tract infection"}, from: 14, days: 9,
		drugs: []coding{{rxnorm, "311989", "Nitrofurantoin 5 MG/ML Oral Suspension"}},
		plan:  coding{snomed, "869761000000107", "Urinary tract infection care"}, advice: []coding{healthyDiet}},
	{code: coding{snomed, "37796009", "Migraine"}, from: 12, days: 2, drugs: []coding{{rxnorm, "310965", "Ibuprofen 200 MG Oral Tablet"}}},
	{code: coding{snomed, "279039007", "Low back pain"}, from: 18, days: 30, drugs: []coding{{rxnorm, "849574", "Naproxen sodium 220 MG Oral Tablet"}},
		plan: coding{snomed, "91251008", "Physical therapy procedure"}, advice: []coding{stretching, exercise}},
}

var injuries = []illness{
	{code: coding{snomed, "70704007", "Sprain of wrist"}, days: 21, drugs: []coding{{rxnorm, "310965", "Ibuprofen 200 MG Oral Tablet"}},
		plan: coding{snomed, "91251008", "Physical therapy procedure"}, advice: []coding{rest, stretching}},
	{code: coding{snomed, "44465007", "Sprain of ankle"}, days: 28, drugs: []coding{{rxnorm, "313782", "Acetaminophen 325 MG Oral Tablet"}},
		procedure: coding{snomed, "19490002", "Ankle X-ray"}, plan: coding{snomed, "91251008", "Physical therapy procedure"}, advice: []coding{rest}},
	{code: coding{snomed, "284549007", "Laceration of hand"}, days: 17, procedure: coding{snomed, "288086009", "Suture open wound"},
		plan: coding{snomed, "225358003", "Wound care"}, advice: []coding{dressing}},
	{code: coding{snomed, "62106007", "Concussion with no loss of consciousness"}, days: 30, procedure: coding{snomed, "386053000", "Evaluation procedure"},
		plan: coding{snomed, "47387005", "Head injury rehabilitation"}, advice: []coding{rest}},
	{code: coding{snomed, "65966004", "Fracture of forearm"}, days: 60, drugs: []coding{{rxnorm, "857005", "Acetaminophen 325 MG / HYDROcodone Bitartrate 7.5 MG Oral Tablet"}},
		procedure: coding{snomed, "274474001", "Bone immobilization"}, plan: coding{snomed, "385691007", "Fracture care"}, advice: []coding{rest}},
	{code: coding{snomed, "403191005", "Second degree burn"}, days: 24, procedure: coding{snomed, "225358003", "Wound care"},
		plan: coding{snomed, "133901003", "Burn care"}, advice: []coding{dressing}},
}

var admissions = []illness{
	{code: coding{snomed, "74400008", "Appendicitis"}, from: 6, days: 20, procedure: coding{snomed, "80146002", "Appendectomy"},
		plan: coding{snomed, "225358003", "Wound care"}, advice: []coding{dressing, rest}},
	{code: coding{snomed, "22298006", "Myocardial infarction"}, from: 50, days: 40, procedure: coding{snomed, "415070008", "Percutaneous coronary intervention"},
		drugs: []coding{{rxnorm, "309362", "Clopidogrel 75 MG Oral Tablet"}, {rxnorm, "312961", "Simvastatin 20 MG Oral Tablet"}}},
	{code: coding{snomed, "233604007", "Pneumonia"}, from: 1, days: 25, procedure: coding{snomed, "399208008", "Plain chest X-ray"},
		plan: coding{snomed, "53950000", "Respiratory therapy"}, advice: []coding{breathing}},
	{code: coding{snomed, "68496003", "Polyp of colon"}, from: 45, days: 60, procedure: coding{snomed, "73761001", "Colonoscopy"}},
}

var (
	screenings = []coding{
		{snomed, "428191000124101", "Documentation of current medications"}, {snomed, "710824005", "Assessment of health and social care needs"},
		{snomed, "171207006", "Depression screening"}, {snomed, "430193006", "Medication reconciliation"}, {snomed, "415300000", "Review of systems"},
	}
	influenza     = coding{cvx, "140", "Influenza, seasonal, injectable, preservative free"}
	childVaccines = []coding{
		{cvx, "08", "Hep B, adolescent or pediatric"}, {cvx, "20", "DTaP"}, {cvx, "10", "IPV"}, {cvx, "49", "Hib (PRP-OMP)"},
		{cvx, "119", "rotavirus, monovalent"}, {cvx, "133", "Pneumococcal conjugate PCV 13"}, {cvx, "03", "MMR"},
		{cvx, "21", "varicella"}, {cvx, "83", "Hep A, ped/adol, 2 dose"}, {cvx, "114", "meningococcal MCV4P"}, {cvx, "62", "HPV, quadrivalent"},
	}
	adultVaccines = []coding{
		{cvx, "113", "Td (adult) preservative free"}, {cvx, "52", "Hep A, adult"}, {cvx, "43", "Hep B, adult"}, {cvx, "115", "Tdap"},
		{cvx, "121", "zoster"}, {cvx, "33", "pneumococcal polysaccharide vaccine, 23 valent"},
	}
	allergies = []allergy{
		{coding{snomed, "419474003", "Allergy to mould"}, "environment"}, {coding{snomed, "91934008", "Allergy to nut"}, "food"},
		{coding{snomed, "419263009", "Allergy to tree pollen"}, "environment"}, {coding{snomed, "232350006", "House dust mite allergy"}, "environment"},
		{coding{snomed, "418689008", "Allergy to grass pollen"}, "environment"}, {coding{snomed, "417532002", "Allergy to fish"}, "food"},
		{coding{snomed, "424213003", "Allergy to bee venom"}, "environment"}, {coding{snomed, "91935009", "Allergy to peanut"}, "food"},
		{coding{snomed, "91936005", "Allergy to penicillin"}, "medication"}, {coding{snomed, "300916003", "Latex allergy"}, "environment"},
	}
	reactions = []coding{
		{snomed, "271807003", "Eruption of skin"}, {snomed, "267036007", "Dyspnea"}, {snomed, "418363000", "Itching of skin"},
		{snomed, "39579001", "Anaphylaxis"}, {snomed, "76067001", "Sneezing"},
	}
)

type allergy struct {
	code     coding
	category string
}
