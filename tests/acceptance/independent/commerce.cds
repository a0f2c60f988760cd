// Loyalty as a retailer's commerce service would have it, with the columns of the shipped maps.

service commerce {

  entity RetailLoyaltyCards {
    key CardNumber             : String(30);
    CardTenderType             : String(20);
    PartyNumber                : String(20);
    ReplacementCardNumber      : String(30);
    OmOperatingUnitNumber      : String(8);
    LoyaltyEnrollmentDate      : Date;
    LoyaltyEnrollmentDateLocal : Date;
    // One column of every other type, for what the maps do not use.
    Balance                    : Decimal(19, 4);
    Points                     : Int64;
    Ratio                      : Double;
    Level                      : UInt8;
    Active                     : Boolean;
    Owner                      : UUID;
    Seen                       : Timestamp;
    At                         : Time;
    ModifiedAt                 : Timestamp @odata.etag @cds.on.insert: $now @cds.on.update: $now;
  }

  // Without a version: whoever writes it has to look first.
  @cds.query.limit: {max: 100, default: 100}
  entity RetailLoyaltyRewardPoints {
    key RewardPointId          : String(20);
    RewardPointType            : String(20);
    RewardPointCurrency        : String(3);
    Redeemable                 : String(3);
    RedeemRanking              : Integer;
    ExpirationTimeUnit         : String(10);
    ExpirationTimeValue        : Integer;
    VestingTimeUnit            : String(10);
    VestingTimeValue           : Integer;
    MaximumLoyaltyRewardPoints : Integer;
  }
}
