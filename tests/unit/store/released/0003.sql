BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE alerts (
	map TEXT NOT NULL, 
	rule TEXT NOT NULL, 
	raised_at DOUBLE NOT NULL, 
	PRIMARY KEY (map, rule)
);
INSERT INTO "alerts" VALUES('loyalty-card','conflicts',203.0);
CREATE TABLE changes (
	number INTEGER NOT NULL, 
	run BIGINT NOT NULL, 
	batch BIGINT, 
	at DOUBLE NOT NULL, 
	map TEXT NOT NULL, 
	record BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	side TEXT NOT NULL, 
	target TEXT, 
	expected TEXT, 
	version TEXT, 
	"before" TEXT, 
	"after" TEXT, 
	outcome TEXT, 
	detail TEXT, agreed TEXT, 
	PRIMARY KEY (number)
);
INSERT INTO "changes" VALUES(1,1,1,101.0,'loyalty-card',1,'create','dataverse','g1',NULL,NULL,NULL,'{"msdyn_cardnumber":"C1"}','applied',NULL,NULL);
INSERT INTO "changes" VALUES(2,1,1,101.0,'loyalty-card',2,'create','dataverse','g2',NULL,NULL,NULL,'{"msdyn_cardnumber":"C2"}','applied',NULL,NULL);
INSERT INTO "changes" VALUES(3,1,1,101.0,'loyalty-card',3,'create','dataverse','g3',NULL,NULL,NULL,'{"msdyn_cardnumber":"C3"}','applied',NULL,NULL);
INSERT INTO "changes" VALUES(4,1,1,101.0,'loyalty-card',4,'create','dataverse','g4',NULL,NULL,NULL,'{"msdyn_cardnumber":"C4"}','applied',NULL,NULL);
INSERT INTO "changes" VALUES(5,2,NULL,201.0,'loyalty-card',1,'lost','dataverse','g1','98',NULL,'{"msdyn_cardnumber":"C1"}','{"msdyn_cardnumber":"C9"}','noted','commerce is master',NULL);
INSERT INTO "changes" VALUES(6,2,2,201.0,'loyalty-card',2,'update','commerce','72','W/2',NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "changes" VALUES(7,2,NULL,204.0,'loyalty-card',2,'decision','commerce',NULL,NULL,NULL,NULL,NULL,'noted',NULL,'{"commerce":{"Balance":"12.50"},"dataverse":{}}');
CREATE TABLE conflicts (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	record BIGINT NOT NULL, 
	map TEXT NOT NULL, 
	group_name TEXT NOT NULL, 
	layout INTEGER NOT NULL, 
	base TEXT NOT NULL, 
	seen TEXT NOT NULL, 
	run BIGINT NOT NULL, 
	opened_at DOUBLE NOT NULL, 
	closed_at DOUBLE, 
	decision TEXT, 
	decided_by TEXT, 
	decided_at DOUBLE
, revision INTEGER DEFAULT '1' NOT NULL);
INSERT INTO "conflicts" VALUES(1,1,'loyalty-card','balance',1,'{"commerce":{"Balance":"1.5"},"dataverse":{}}','{"commerce":{"Balance":"1.5"},"dataverse":{}}',2,201.0,NULL,NULL,NULL,NULL,1);
CREATE TABLE departed (
	map TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	record BIGINT NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (map, "key", record)
);
CREATE TABLE endpoints (
	side TEXT NOT NULL, 
	identity TEXT NOT NULL, 
	title TEXT NOT NULL, 
	epoch INTEGER NOT NULL, 
	high_version TEXT, 
	PRIMARY KEY (side)
);
INSERT INTO "endpoints" VALUES('commerce','ledger-1','Ledger',1,NULL);
INSERT INTO "endpoints" VALUES('dataverse','org-1','Contoso',2,'990');
CREATE TABLE forgotten (
	map TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	record BIGINT NOT NULL, 
	at DOUBLE NOT NULL, 
	PRIMARY KEY (map, hash, record)
);
CREATE TABLE incidents (
	map TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	minute INTEGER NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (map, kind, minute)
);
INSERT INTO "incidents" VALUES('loyalty-card','conflict',3,2);
CREATE TABLE "layouts" (
	id INTEGER NOT NULL, 
	map TEXT NOT NULL, 
	columns TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	PRIMARY KEY (id), 
	CONSTRAINT layouts_digest UNIQUE (map, digest)
);
INSERT INTO "layouts" VALUES(1,'loyalty-card','{"commerce":[["CardNumber","text"],["EnrollmentDate","date"],["Balance","decimal"]],"dataverse":[["msdyn_cardnumber","text"],["msdyn_enrollmentdate","date"],["modifiedon","instant"]]}','ff5e12fc8b6b6401b4c174e99c572d92c5b6d3c463e31784bae9b5ad34bde844');
CREATE TABLE leases (
	map TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	fencing BIGINT NOT NULL, 
	expires DOUBLE NOT NULL, 
	PRIMARY KEY (map)
);
INSERT INTO "leases" VALUES('loyalty-card','host/1',1,1.79533132708001184462e+09);
CREATE TABLE maps (
	map TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	version TEXT NOT NULL, 
	loaded_at DOUBLE, 
	stopped TEXT, 
	allowed_deletes INTEGER DEFAULT '0' NOT NULL, audit_kept_since DOUBLE, document TEXT, 
	PRIMARY KEY (map)
);
INSERT INTO "maps" VALUES('loyalty-card','f2','1.0.0.1',102.0,'{"code":"choice-unknown","severity":"error","message":"no translation of ''AsGift''","subject":{"map":"loyalty-card","field":"Tender"},"remedy":"add it"}',7,NULL,'{"map":"loyalty-card"}');
CREATE TABLE positions (
	map TEXT NOT NULL, 
	side TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	position TEXT NOT NULL, 
	columns TEXT NOT NULL, 
	epoch INTEGER NOT NULL, 
	tick BIGINT NOT NULL, 
	at DOUBLE NOT NULL, high_id TEXT, high_version TEXT, 
	PRIMARY KEY (map, side, kind)
);
INSERT INTO "positions" VALUES('loyalty-card','dataverse','feed','token','["msdyn_cardnumber"]',2,7,201.0,NULL,NULL);
CREATE TABLE records (
	number INTEGER NOT NULL, 
	map TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	ordinal INTEGER NOT NULL, 
	layout INTEGER NOT NULL, 
	unconfirmed INTEGER NOT NULL, 
	state TEXT NOT NULL, 
	due DOUBLE, 
	attempts INTEGER NOT NULL, 
	waiting INTEGER NOT NULL, 
	conflicts INTEGER NOT NULL, 
	problem TEXT, 
	commerce_presence TEXT NOT NULL, 
	commerce_id TEXT, 
	commerce_key TEXT, 
	commerce_version TEXT, 
	commerce_epoch INTEGER NOT NULL, 
	commerce_tick BIGINT NOT NULL, 
	commerce_modified_at DOUBLE, 
	commerce_modifier TEXT, 
	commerce_image TEXT, 
	commerce_agreed TEXT, 
	dataverse_presence TEXT NOT NULL, 
	dataverse_id TEXT, 
	dataverse_key TEXT, 
	dataverse_version TEXT, 
	dataverse_epoch INTEGER NOT NULL, 
	dataverse_tick BIGINT NOT NULL, 
	dataverse_modified_at DOUBLE, 
	dataverse_modifier TEXT, 
	dataverse_image TEXT, 
	dataverse_agreed TEXT, accepted INTEGER DEFAULT '0' NOT NULL, anew TEXT, 
	PRIMARY KEY (number), 
	CONSTRAINT records_key UNIQUE (map, "key", ordinal)
);
INSERT INTO "records" VALUES(1,'loyalty-card','c1',0,1,0,'conflict',NULL,0,0,1,NULL,'present','71','C1','W/1',1,4,NULL,NULL,'["C1","2024-02-29","12.50"]','=','present','g1','C1','99',1,5,98.5,'agent','["C1","2024-02-29","2024-03-01T12:30:00Z"]','=',0,NULL);
INSERT INTO "records" VALUES(2,'loyalty-card','c2',0,1,0,'waiting',205.0,0,1,0,NULL,'present','72','C2','W/2',1,4,NULL,NULL,'["C2","2024-02-29","12.50"]','=','present','g2','C2','99',1,5,98.5,'agent','["C2","2024-02-29","2024-03-01T12:30:00Z"]','=',1,'{"Balance":"new"}');
INSERT INTO "records" VALUES(3,'loyalty-card','c3',0,1,0,'parked',260.5,3,0,0,'{"code":"choice-unknown","severity":"error","message":"no translation of ''AsGift''","subject":{"map":"loyalty-card","field":"Tender"},"remedy":"add it"}','present','73','C3','W/3',1,4,NULL,NULL,'["C3","2024-02-29","12.50"]','=','present','g3','C3','99',1,5,98.5,'agent','["C3","2024-02-29","2024-03-01T12:30:00Z"]','=',0,NULL);
INSERT INTO "records" VALUES(4,'loyalty-card','c4',0,1,0,'settled',NULL,0,0,0,NULL,'absent','74','C4','W/4',1,4,NULL,NULL,'["C4","2024-02-29","12.50"]','=','absent','g4','C4','99',1,5,98.5,'agent','["C4","2024-02-29","2024-03-01T12:30:00Z"]','=',0,NULL);
CREATE TABLE runs (
	number INTEGER NOT NULL, 
	command TEXT NOT NULL, 
	map TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	started DOUBLE NOT NULL, 
	ended DOUBLE, 
	outcome TEXT, 
	counts TEXT, 
	error TEXT, first_change BIGINT, 
	PRIMARY KEY (number)
);
INSERT INTO "runs" VALUES(1,'load','loyalty-card','f1',100.0,103.0,'done','{"created":4}',NULL,1);
INSERT INTO "runs" VALUES(2,'sync','loyalty-card','f1',200.0,203.0,'failed','{}','{"code":"unreachable"}',5);
CREATE TABLE secrets (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE sequences (
	name TEXT NOT NULL, 
	next BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "sequences" VALUES('record',5);
INSERT INTO "sequences" VALUES('change',8);
INSERT INTO "sequences" VALUES('batch',2);
INSERT INTO "sequences" VALUES('tick',10);
CREATE TABLE waits (
	record BIGINT NOT NULL, 
	group_name TEXT NOT NULL, 
	side TEXT NOT NULL, 
	entity TEXT NOT NULL, 
	column_name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	map TEXT NOT NULL, 
	PRIMARY KEY (record, group_name, side, entity, column_name, value)
);
INSERT INTO "waits" VALUES(2,'currency','dataverse','currencies','code','EUR','loyalty-card');
CREATE INDEX runs_map ON runs (map, number);
CREATE INDEX records_commerce_id ON records (map, commerce_id);
CREATE INDEX records_dataverse_id ON records (map, dataverse_id);
CREATE INDEX records_due ON records (map, number, due) WHERE due IS NOT NULL;
CREATE INDEX records_unconfirmed ON records (map, unconfirmed) WHERE unconfirmed = 1;
CREATE INDEX records_state ON records (map, number) WHERE state IN ('waiting', 'conflict', 'parked');
CREATE INDEX waits_target ON waits (map, side, entity, column_name, value);
CREATE INDEX conflicts_record ON conflicts (record);
CREATE INDEX conflicts_open ON conflicts (map, number) WHERE closed_at IS NULL;
CREATE INDEX changes_record ON changes (record);
CREATE INDEX changes_intents ON changes (map, batch) WHERE outcome IS NULL;
CREATE INDEX changes_deletes ON changes (map, side, at) WHERE kind = 'delete';
CREATE INDEX records_tombstones ON records (map, number) WHERE commerce_presence = 'absent' AND dataverse_presence = 'absent';
CREATE INDEX departed_record ON departed (record);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('conflicts',1);
COMMIT;
